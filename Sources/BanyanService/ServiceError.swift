import BanyanFoundation
import HTTPTypes
import Hummingbird

/// Why a request was not served, as a status and one sentence.
package struct ServiceError: Error {
  var status: HTTPResponse.Status
  package var message: String
  var headers: HTTPFields = [:]

  init(_ status: HTTPResponse.Status, _ message: String, headers: HTTPFields = [:]) {
    (self.status, self.message, self.headers) = (status, message, headers)
  }

  /// The status as a number.
  package var code: Int { status.code }

  /// Full for now; worth another try after some seconds.
  static func busy(_ message: String, retryAfter seconds: Double) -> ServiceError {
    ServiceError(.tooManyRequests, message, headers: [.retryAfter: "\(Int(min(3600, max(1, seconds)).rounded(.up)))"])
  }

  /// The one place where errors become statuses.
  ///
  /// What failed within is told to the log and not to the client, who can do nothing about it.
  init(_ error: any Error) {
    switch error {
    case let error as ServiceError: self = error
    case let error as BanyanError:
      let text = error.remedy.isEmpty ? "" : " \(error.remedy)"
      let words = "\(error.subject.isEmpty ? "" : "\(error.subject): ")\(error.message)"
      switch error.kind {
      case .usage: self.init(.badRequest, words + (text.isEmpty ? "" : ".\(text)"))
      case .malformed: self.init(.unprocessableContent, words)
      case .missingInput: self.init(.notFound, words)
      case .unavailable, .interrupted: self.init(.serviceUnavailable, words, headers: [.retryAfter: "5"])
      case .failed: self.init(.internalServerError, "the service failed; its log says why")
      }
    case let error as HTTPError:
      self.init(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers)
    default: self.init(.internalServerError, "the service failed; its log says why")
    }
  }

  /// `{"error": …}`, the form of the Open Inference Protocol.
  var response: Response { .json(JSONValue.object(["error": .string(message)]), status: status, headers: headers) }
}
