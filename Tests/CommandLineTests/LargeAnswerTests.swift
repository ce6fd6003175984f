import BanyanFoundation
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Answers that no buffer of a connection holds reach clients that read them late.
@Suite struct LargeAnswerTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  /// Asks about eight thousand files with long names, none of them a picture; does something; and reads the answer.
  private func answer(
    of service: RunningService, after: (_ socket: Int32, _ readOnce: () -> Bool) throws -> Void
  ) throws -> RunningService.Answer {
    let name = String(repeating: "n", count: 900)
    let body = Form.body((0..<8000).map { ("picture", "\(name)\($0)", Data("no".utf8)) })
    let fields = Form.headers.map { "\($0.key): \($0.value)\r\n" }.joined()
    let head = "POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\n\(fields)Content-Length: \(body.count)\r\n\r\n"
    let client = try service.connected()
    defer { close(client) }
    var small: Int32 = 16_384
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
    var rest = (Data(head.utf8) + body)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard sent > 0 else { break }
      rest = rest.dropFirst(sent)
    }
    #expect(rest.isEmpty)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var answer = Data()
    func readOnce() -> Bool {
      let count = recv(client, &buffer, buffer.count, 0)
      answer.append(contentsOf: buffer[0..<max(0, count)])
      return count > 0
    }
    try after(client, readOnce)
    while readOnce() {}
    return RunningService.parsed(answer)
  }

  private func service() throws -> RunningService {
    try RunningService(
      ["--run", "runs/hipro", "--max-pictures", "8000", "--queue", "8000", "--latency", "3600"], in: shop.folder)
  }

  private func expectWhole(_ answer: RunningService.Answer) {
    #expect(answer.status == 200 && answer.headers["content-length"] == "\(answer.data.count)", "\(answer.data.count)")
    #expect(answer.data.count > 7_000_000 && answer.json?["pictures"]?.arrayValue?.count == 8000)
  }

  @Test func whoReadsSlowlyHasTheWholeAnswerAlthoughItStops() throws {
    let service = try service()
    try expectWhole(
      answer(of: service) { _, readOnce in
        #expect(readOnce())
        // In the middle of it, and all of it is written as far as the service is concerned.
        service.signal(SIGTERM)
        Thread.sleep(forTimeInterval: 1)
      })
    #expect(try service.stop().code == 0)
  }

  @Test func whoIsDoneWithSendingHasTheWholeAnswer() throws {
    let service = try service()
    try expectWhole(
      answer(of: service) { client, _ in
        // As `nc -N` does.
        shutdown(client, Int32(SHUT_WR))
        Thread.sleep(forTimeInterval: 2)
      })
  }
}
