import BanyanFoundation
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import Synchronization

/// What every request goes through first: a bound on how many are in work, an id, a line in the log, its metrics, and the
/// one form of all errors.
struct RequestGate: RouterMiddleware {
  private let limit: Int
  private let hosts: [String]?
  private let origins: [String]
  private let routes: [(parts: [Substring], method: HTTPRequest.Method)]
  private let inWork = Counter()

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  /// - Parameter routes: All paths with their methods; what a path does not know is said to be so.
  init(_ settings: ServiceSettings, routes: [(path: String, method: HTTPRequest.Method)]) {
    (limit, origins, hosts) = (settings.requestLimit, settings.origins, settings.hosts)
    self.routes = routes.map { ($0.path.split(separator: "/"), $0.method) }
  }

  /// The method that a path knows; `nil` where there is no such path.
  private func method(of path: String) -> HTTPRequest.Method? {
    let parts = path.split(separator: "/")
    return routes.first { route in
      route.parts.count == parts.count && zip(route.parts, parts).allSatisfy { $0 == $1 || $0.hasPrefix(":") }
    }?.method
  }

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock().now
    let before = inWork.value.wrappingAdd(1, ordering: .relaxed).oldValue
    defer { inWork.value.wrappingSubtract(1, ordering: .relaxed) }
    let id = Self.identifier(request.headers[.requestID]) ?? context.id
    var context = context
    context.logger[metadataKey: "request"] = .string(id)
    var response: Response
    do {
      guard before < limit || request.uri.path.hasPrefix("/v2/health/") else {
        throw ServiceError.busy("\(limit) requests are in work; no more are taken for now", retryAfter: 1)
      }
      try checkOrigin(request)
      let known = method(of: request.uri.path)
      if isPreflight(request) {
        response = .empty(.noContent)
      } else if let known, known != request.method, !(known == .get && request.method == .head) {
        throw ServiceError(
          .methodNotAllowed, "expected \(known.rawValue), found \(request.method.rawValue)",
          headers: [.allow: known == .get ? "GET, HEAD" : known.rawValue])
      } else {
        response = try await next(request, context)
      }
    } catch {
      let failure = ServiceError(error)
      if failure.status.kind == .serverError, failure.status != .serviceUnavailable {
        context.logger.error("request failed", metadata: ["error": "\(error)"])
      }
      response = failure.response
    }
    // A body behind the answer to HEAD would be taken for the next answer.
    if request.method == .head { response = response.createHeadResponse() }
    // What is answered before its body has come is done with.
    if Self.announcesBody(request), !context.isBodyRead { response.headers[.connection] = "close" }
    response.headers[.requestID] = id
    response.headers[.contentTypeOptions] = "nosniff"
    cross(request, &response)
    let seconds = start.duration(to: ContinuousClock().now).seconds
    let route = context.endpointPath ?? "none"
    let dimensions = [("route", route), ("status", "\(response.status.code)")]
    Metrics.Counter(label: "banyan_requests_total", dimensions: dimensions).increment()
    Timer(label: "banyan_request_seconds", dimensions: [("route", route)]).recordNanoseconds(Int64(seconds * 1e9))
    // Neither headers nor the query: they may hold what is nobody's business.
    context.logger.info(
      "request",
      metadata: [
        "method": "\(request.method.rawValue)", "route": "\(route)", "status": "\(response.status.code)",
        "milliseconds": "\((seconds * 1e5).rounded() / 100)", "client": "\(context.client)",
      ])
    return response
  }

  private static func announcesBody(_ request: Request) -> Bool {
    request.headers[.transferEncoding] != nil || request.headers[.contentLength].map { $0 != "0" } ?? false
  }

  /// A client's own id, where it is short and plain enough for a log.
  private static func identifier(_ text: String?) -> String? {
    guard let text, (1...64).contains(text.utf8.count),
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
    else { return nil }
    return text
  }

  private func allowed(_ request: Request) -> String? {
    guard let origin = request.headers[.origin] else { return nil }
    return origins.contains("*") ? "*" : origins.contains(origin) ? origin : nil
  }

  /// Refuses what comes from another site's page, or was called by a name that is not the service's.
  private func checkOrigin(_ request: Request) throws {
    let host = request.head.authority ?? ""
    // The name without the port; an address of version 6 stands in brackets.
    let name = host.hasSuffix("]") ? host : host.lastIndex(of: ":").map { String(host[..<$0]) } ?? host
    if let hosts, !hosts.contains("*"), !hosts.contains(name.lowercased()) {
      throw ServiceError(
        .misdirectedRequest, "this service is not called \(name.prefix(100)); --host names what it may be called")
    }
    guard let origin = request.headers[.origin], allowed(request) == nil else { return }
    guard ["http://\(host)", "https://\(host)"].contains(origin) else {
      throw ServiceError(.forbidden, "pages of other sites may not ask; --origin names those that may")
    }
  }

  private func isPreflight(_ request: Request) -> Bool {
    request.method == .options && request.headers[.accessControlRequestMethod] != nil && allowed(request) != nil
  }

  /// Says to a browser which other sites may ask; nothing unless it was named.
  private func cross(_ request: Request, _ response: inout Response) {
    if !origins.isEmpty { response.headers[.vary] = "Origin" }
    guard let origin = allowed(request) else { return }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.accessControlExposeHeaders] = "X-Request-Id, Retry-After, Inference-Header-Content-Length"
    guard isPreflight(request) else { return }
    response.headers[.accessControlAllowMethods] = "GET, POST"
    response.headers[.accessControlAllowHeaders] =
      "Authorization, Content-Type, Inference-Header-Content-Length, X-Request-Id"
    response.headers[.accessControlMaxAge] = "600"
  }
}

extension HTTPField.Name {
  static let requestID = named("X-Request-Id")
  static let contentTypeOptions = named("X-Content-Type-Options")
  static let inferenceHeaderLength = named("Inference-Header-Content-Length")

  /// A name that is a token; the fallback is never taken for the ones above.
  private static func named(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .expires }
}
