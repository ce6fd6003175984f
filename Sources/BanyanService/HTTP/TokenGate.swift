import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// Lets in who shows the token; health is everybody's, and so is the page, which holds nothing and asks for the token itself.
struct TokenGate: RouterMiddleware {
  private let digest: [UInt8]

  init(token: String) { digest = Array(SHA256.hash(data: Data(token.utf8))) }

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    let isOpen = request.uri.path == "/" || request.uri.path.hasPrefix("/v2/health/")
    guard isOpen || isAllowed(request.headers[.authorization]) else {
      throw ServiceError(
        .unauthorized, "expected the service's token as Authorization: Bearer …",
        headers: [.wwwAuthenticate: "Bearer"])
    }
    return try await next(request, context)
  }

  /// Compares digests, every byte of them, so that time tells nothing of how much was right.
  private func isAllowed(_ header: String?) -> Bool {
    let shown = header ?? ""
    let isBearer = shown.lowercased().hasPrefix("bearer ")
    let other = Array(SHA256.hash(data: Data(shown.dropFirst(7).utf8)))
    let difference = zip(digest, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
    return isBearer && difference == 0
  }
}
