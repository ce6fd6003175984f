import Synchronization

/// A bound on how many bodies one address sends at once, so that a client which sends them drop by drop leaves room for others.
///
/// Unlike a ``RateGate``, which counts pictures that were taken, this one counts what has not come yet.
final class UploadGate: Sendable {
  private let limit: Int
  private let uploads = Mutex<[String: Int]>([:])

  /// - Parameter limit: The most bodies of one address.
  init(limit: Int) { self.limit = limit }

  /// Runs `body` as one of the address's uploads.
  ///
  /// - Throws: A ``ServiceError`` with status 429 where there are too many; or what `body` throws.
  func upload<Value>(from client: String, _ body: () async throws -> Value) async throws -> Value {
    try uploads.withLock { uploads in
      guard uploads[client, default: 0] < limit else {
        throw ServiceError.busy("\(limit) bodies are on their way from one address; no more are taken", retryAfter: 1)
      }
      uploads[client, default: 0] += 1
    }
    defer {
      uploads.withLock { uploads in
        let left = uploads[client, default: 1] - 1
        uploads[client] = left > 0 ? left : nil
      }
    }
    return try await body()
  }
}
