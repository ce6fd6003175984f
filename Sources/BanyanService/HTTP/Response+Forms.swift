import BanyanFoundation
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
  /// JSON with sorted keys.
  static func json(
    _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      return Response(status: .internalServerError, body: .init(byteBuffer: ByteBuffer(string: "{}")))
    }
    return bytes(data, type: "application/json", status: status, headers: headers)
  }

  /// Bytes of a media type.
  static func bytes(
    _ data: Data, type: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    var fields = headers
    fields[.contentType] = type
    fields[.contentLength] = "\(data.count)"
    return Response(status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: data)))
  }

  /// Nothing but a status, as the health routes of the Open Inference Protocol answer.
  static func empty(_ status: HTTPResponse.Status) -> Response {
    Response(status: status, headers: [.contentLength: "0"])
  }
}
