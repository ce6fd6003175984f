import Foundation
import Hummingbird
import NIOCore

extension Request {
  /// What `parse` makes of the whole body, under bounds on its length, on the time that it takes and on how many of one address are
  /// read and taken apart.
  ///
  /// - Throws: What `parse` throws; a ``ServiceError`` with status 413 where it is too long, 408 where it takes too long, 400
  ///   where it ends early, 429 where the address sends many already.
  func read<Value>(
    for answering: Answering, _ context: ServiceContext, _ parse: (Data) async throws -> Value
  ) async throws -> Value {
    func whole() async throws -> Value {
      let data = try await read(answering.settings)
      context.bodyIsRead()
      if let announced, data.count < announced {
        throw ServiceError(.badRequest, "expected a body of \(announced) bytes, found \(data.count)")
      }
      return try await parse(data)
    }
    // Clients without an address come from this machine.
    guard let client = context.remoteAddress?.ipAddress else { return try await whole() }
    return try await answering.uploads.upload(from: client, whole)
  }

  private var announced: Int? { headers[.contentLength].flatMap(Int.init) }

  private func read(_ settings: ServiceSettings) async throws -> Data {
    let limit = settings.bodyLimit
    if let announced, announced > limit { throw Self.tooLarge(limit) }
    let body = body
    let time = settings.uploadTime
    let expected = announced ?? 0
    let data = try await withThrowingTaskGroup(of: Data?.self) { group in
      group.addTask {
        var data = Data()
        // At once: growing would copy it, and hold it twice. What is announced may never come.
        data.reserveCapacity(min(expected, 64 << 20))
        do {
          for try await part in body {
            guard data.count + part.readableBytes <= limit else { throw Self.tooLarge(limit) }
            data.append(contentsOf: part.readableBytesView)
          }
        } catch let error as ServiceError {
          throw error
        } catch {
          // The client has vanished, or what it sends is no HTTP.
          throw ServiceError(
            .badRequest, "the body ended early or is no HTTP", headers: [.connection: "close"])
        }
        return Task.isCancelled ? nil : data
      }
      group.addTask {
        try? await Task.sleep(for: time)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    guard let data else {
      throw ServiceError(
        .requestTimeout, "the body did not arrive within \(time.seconds) s", headers: [.connection: "close"])
    }
    return data
  }

  private static func tooLarge(_ limit: Int) -> ServiceError {
    ServiceError(.contentTooLarge, "expected a body of at most \(limit) bytes", headers: [.connection: "close"])
  }
}
