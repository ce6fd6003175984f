import BanyanTestSupport
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Connections on which nothing is asked.
@Suite struct IdleConnectionTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private enum State { case open, readable, closed }

  /// What a connection is, without waiting for it and without taking anything from it.
  private func state(_ socket: Int32) -> State {
    var byte: UInt8 = 0
    switch recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) {
    case 1: return .readable
    case 0: return .closed
    default: return errno == EAGAIN ? .open : .closed
    }
  }

  /// Sleeps, and keeps no thread from other tests meanwhile.
  @Test(.enabled(if: !Sanitizer.isPresent, "with the times that are allowed there it takes five minutes"))
  func theyAreClosedAfterAMinute() async throws {
    let service = try RunningService(["--run", "runs/hipro", "--upload-time", "20"], in: shop.folder)
    let silent = try service.connected()
    defer { close(silent) }
    // One that was used, and may be again.
    let used = try service.connected()
    defer { close(used) }
    let plea = Data("GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
    #expect(plea.withUnsafeBytes { send(used, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == plea.count)
    #expect(eventually(within: 10) { state(used) == .readable })
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while state(used) == .readable { _ = recv(used, &buffer, buffer.count, 0) }
    try await Task.sleep(for: .seconds(45))
    #expect(state(silent) == .open && state(used) == .open)
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(45))
    while clock.now < end, state(silent) != .closed || state(used) != .closed {
      try await Task.sleep(for: .seconds(0.5))
    }
    #expect(state(silent) == .closed && state(used) == .closed)
    #expect(try service.ask("GET", "/v2/health/ready").status == 200)
  }
}
