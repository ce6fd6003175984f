import BanyanFoundation
import Foundation
import HTTPTypes
import Hummingbird

/// What a `POST /classify` asks: pictures, and of which tasks.
struct SentPictures {
  /// One file.
  struct Picture: Sendable {
    var name: String
    var data: Data
  }

  var pictures: [Picture]
  /// The tasks that are named; all where none is.
  var tasks: [String]
  /// How many classes to answer with; all where `nil`.
  var top: Int?

  /// Reads a request: a bare picture, or a form with files and, beside the query, the fields `task` and `top`.
  init(_ request: Request, _ body: Data, settings: ServiceSettings) throws {
    let query = try Self.query(request)
    tasks = query.filter { $0.name == "task" }.map(\.value)
    var tops = query.filter { $0.name == "top" }.map(\.value)
    if let other = query.first(where: { !["task", "top"].contains($0.name) }) {
      throw ServiceError(
        .badRequest, "unknown query \(other.name). " + NearNames.remedy(for: other.name, among: ["task", "top"]))
    }
    let type = request.headers[.contentType] ?? "application/octet-stream"
    let kind = HeaderParameters(type).value
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw ServiceError(.unsupportedMediaType, "expected a body without content encoding, found \(encoding)")
    }
    switch kind {
    case "multipart/form-data":
      let form = try MultipartForm(body, contentType: type, limit: settings.pictureLimit + 64)
      pictures = form.parts.filter { $0.fileName != nil }.map { Picture(name: $0.fileName ?? "", data: $0.data) }
      for part in form.parts where part.fileName == nil {
        guard part.data.count <= 1024, part.name.utf8.count <= 1024 else {
          throw ServiceError(
            .badRequest, "a field without a file name is longer than 1024 bytes; send pictures as files")
        }
        let text = String(decoding: part.data, as: UTF8.self)
        switch part.name {
        case "task": tasks.append(text)
        case "top": tops.append(text)
        default:
          throw ServiceError(
            .badRequest,
            "unknown field \(part.name) without a file name. Send pictures as files; other fields are task and top.")
        }
      }
    case "image/jpeg", "image/png", "image/webp", "application/octet-stream":
      pictures = body.isEmpty ? [] : [Picture(name: "picture", data: body)]
    default:
      throw ServiceError(
        .unsupportedMediaType,
        "expected image/jpeg, image/png, image/webp, application/octet-stream or multipart/form-data, found \(kind)")
    }
    guard !pictures.isEmpty else { throw ServiceError(.badRequest, "expected a picture, found none") }
    guard pictures.count <= settings.pictureLimit else {
      throw ServiceError(
        .badRequest, "expected at most \(settings.pictureLimit) pictures, found \(pictures.count)")
    }
    // Whoever names a task twice is answered once.
    var seen: Set<String> = []
    tasks = tasks.filter { seen.insert($0).inserted }
    if let text = tops.last {
      guard let value = Int(text), value >= 1 else {
        throw ServiceError(.badRequest, "top: expected 1 or more, found \(text)")
      }
      top = value
    }
  }

  /// The query's items, `+` and percent signs decoded.
  private static func query(_ request: Request) throws -> [(name: String, value: String)] {
    guard let query = request.uri.query, !query.isEmpty else { return [] }
    return try query.split(separator: "&", omittingEmptySubsequences: true).map { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let decoded = parts.map { String($0).replacing("+", with: " ").removingPercentEncoding }
      guard let name = decoded[0], let value = decoded.count > 1 ? decoded[1] : "" else {
        throw ServiceError(.badRequest, "the query is not percent-encoded UTF-8")
      }
      return (name, value)
    }
  }
}
