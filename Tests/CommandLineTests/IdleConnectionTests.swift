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
    default: return errno == ECONNRESET ? .closed : .open
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
    // And one whose request comes byte by byte.
    let drip = try service.connected()
    defer { close(drip) }
    let opening = "GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
    #expect(send(drip, opening, opening.utf8.count, Int32(MSG_NOSIGNAL)) == opening.utf8.count)
    let clock = ContinuousClock()
    let start = clock.now
    while clock.now < start.advanced(by: .seconds(90)),
      state(silent) != .closed || state(used) != .closed || state(drip) != .closed
    {
      _ = send(drip, "a", 1, Int32(MSG_NOSIGNAL))
      try await Task.sleep(for: .seconds(0.5))
      if start.duration(to: clock.now) < .seconds(50) { #expect(state(silent) == .open && state(used) == .open) }
    }
    #expect(state(silent) == .closed && state(used) == .closed && state(drip) == .closed)
    #expect(try service.ask("GET", "/v2/health/ready").status == 200)
  }
}
