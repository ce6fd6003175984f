import BanyanCLIP
import BanyanFoundation
import BanyanTestSupport
import Foundation
import Testing

/// What a service says before it can answer, and how it parts from clients that it does not answer.
@Suite struct RefusalTests {
  private let shop: Workshop
  private let picture: Data

  init() throws {
    shop = try Workshop.open()
    picture = try Data(contentsOf: shop.world.picture(1, 2, 0))
  }

  @Test func nobodyIsAnsweredBeforeTheTowerIsWarm() throws {
    // A batch of fifteen hundred takes a while to warm up for.
    let service = try RunningService(
      ["--run", "runs/hipro", "--batch", "1500", "--queue", "1500", "--latency", "1000"], in: shop.folder,
      awaitReady: false)
    let early = try ["/v2/health/ready", "/v2/models/ink/ready", "/v2/health/live"].map {
      try service.ask("GET", $0).status
    }
    let refused = try service.ask("POST", "/classify", picture)
    #expect(early == [503, 503, 200])
    #expect(refused.status == 503 && refused.headers["retry-after"] == "1", "\(refused)")
    #expect(refused.error.contains("not ready"))
    #expect(try eventually(within: 120) { try service.ask("GET", "/v2/health/ready").status == 200 })
    #expect(try service.ask("GET", "/v2/models/ink/ready").status == 200)
    #expect(try service.ask("POST", "/classify", picture).status == 200)
  }

  @Test(.disabled(if: Sanitizer.isPresent, Comment(rawValue: Sanitizer.threadsReason)))
  func opsKeepTheServicesThreadsWhateverTheRunHad() throws {
    // A method that needs its towers whole reads them at every reload; trained with one thread.
    let trained = try shop.run(
      "train", "--model", Workshop.model, "--tasks", "world", "--method", "vpt", "--shots", "2", "--seeds", "1",
      "--epochs", "1", "--threads", "1", "--output", "runs/threads-vpt")
    #expect(trained.code == 0, "\(trained)")
    let service = try RunningService(
      ["--run", "runs/threads-vpt", "--threads", "2", "--log-format", "json"], in: shop.folder)
    service.signal(SIGHUP)
    func threads(_ message: String) -> String? {
      eventually(within: 60) { service.events.contains { $0["message"]?.stringValue == message } }
      return service.events.first { $0["message"]?.stringValue == message }?["threads"]?.stringValue
    }
    #expect(threads("ready") == "2" && threads("runs reloaded") == "2", "\(service.log)")
  }

  @Test func aBodyThatNobodyReadsIsTakenForAWhile() throws {
    let service = try RunningService(["--run", "runs/hipro", "--max-body", "1"], in: shop.folder)
    let head = "POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2000000\r\n"
    // Who sends slowly and reads afterwards, as most programs do, still finds the answer and no broken connection.
    let parts = [Data("\(head)\r\n".utf8)] + [Data](repeating: Data(count: 100_000), count: 15)
    let answer = RunningService.parsed(try service.exchange(parts, pause: 0.1, untilClosed: false))
    #expect(answer.status == 413 && answer.headers["connection"] == "close", "\(answer)")
    // Who asks first is not told to send what is too much.
    let asking = Data("\(head)Expect: 100-continue\r\n\r\n".utf8)
    #expect(RunningService.parsed(try service.exchange([asking], untilClosed: false)).status == 413)
  }

  @Test func aBodyThatNobodyReadsIsNotTakenForEver() throws {
    let service = try RunningService(["--run", "runs/hipro", "--upload-time", "1"], in: shop.folder)
    for path in ["/nowhere", "/v2/models/none/infer"] {
      let socket = try service.connected()
      defer { close(socket) }
      let head = Data("POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n".utf8)
      _ = head.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      // A byte now and then, for as long as they are taken.
      var sent = 0
      while sent < 600, send(socket, "x", 1, Int32(MSG_NOSIGNAL)) == 1 {
        sent += 1
        Thread.sleep(forTimeInterval: 0.1)
      }
      #expect((1..<600).contains(sent), "\(path): \(sent)")
    }
  }

  @Test func afterARefusalTheConnectionIsClosedAtOnceWhereNothingIsToCome() throws {
    let service = try RunningService(["--run", "runs/hipro", "--upload-time", "300"], in: shop.folder)
    let small = Data("POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nbody".utf8)
    // Long before the rest of a body would be late.
    let start = ContinuousClock().now
    let answer = RunningService.parsed(try service.exchange([small]))
    #expect(answer.status == 404 && answer.headers["connection"] == "close", "\(answer)")
    #expect(start.duration(to: ContinuousClock().now) < .seconds(50))
    // A client that says itself that this is its last, and sends more than buffers hold before it reads.
    let head = "POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 16000000\r\n\r\n"
    let large = RunningService.parsed(try service.exchange([Data(head.utf8) + Data(count: 16_000_000)]))
    #expect(large.status == 404, "\(large)")
  }

  @Test func moreLargePicturesThanCanBeDecodedInTimeAreRefused() throws {
    let service = try RunningService(["--run", "runs/hipro", "--latency", "1"], in: shop.folder)
    let side = 5000
    let large = try ImageEncoder.png(
      grey: [UInt8](repeating: 200, count: side * side), width: side, height: side)
    // One is always taken, and says how long they take; sixty take many seconds.
    #expect(try service.ask("POST", "/classify?task=ink", large).status == 200)
    let form = Form.body((0..<60).map { ("picture", "\($0)", large) })
    let answer = try service.ask("POST", "/classify?task=ink", form, headers: Form.headers)
    #expect(answer.status == 413 && answer.error.contains("send fewer at once"), "\(answer)")
    guard !Sanitizer.isPresent else { return }
    // As many small ones are none too many.
    let small = Form.body((0..<60).map { ("picture", "\($0)", picture) })
    #expect(try service.ask("POST", "/classify?task=ink", small, headers: Form.headers).status == 200)
  }

  @Test func aSocketThatSomebodyServesIsNotTakenFromThem() throws {
    let words = [
      "serve", "--run", "runs/hipro", "--threads", "1", "--listen", "unix:\(shop.folder.path)/served.sock",
    ]
    func started() throws -> Program.Running {
      let running = try Program.start(words, in: shop.folder)
      #expect(eventually(within: 60) { running.said.contains("on unix:") }, "\(running.said)")
      return running
    }
    let first = try started()
    defer { first.kill(SIGKILL) }
    // The second finds the first still there.
    for _ in 0..<2 {
      let other = try Program.start(words, in: shop.folder)
      #expect(eventually(within: 60) { !other.process.isRunning })
      other.kill(SIGKILL)
      let outcome = try other.finish()
      #expect(outcome.code == 1 && outcome.err.contains("another program listens there"), "\(outcome)")
    }
    // What one that was killed has left is in nobody's way.
    first.kill(SIGKILL)
    _ = try first.finish()
    let next = try started()
    next.kill(SIGTERM)
    #expect(try next.finish().code == 0)
  }

  @Test func moreNumbersThanJSONShouldCarryAreRefusedUnread() throws {
    let service = try RunningService(["--run", "runs/hipro"], in: shop.folder)
    let numbers = Data(repeating: UInt8(ascii: "0"), count: 1) + Data(String(repeating: ",0", count: 2_200_000).utf8)
    let body =
      Data(#"{"inputs":[{"name":"pixels","shape":[1,3,64,64],"datatype":"FP32","data":["#.utf8) + numbers
      + Data("]}]}".utf8)
    let answer = try service.ask("POST", "/v2/models/ink/infer", body)
    #expect(answer.status == 413 && answer.error.contains("binary_data_size"), "\(answer)")
  }

  @Test func whoSendsDropByDropLeavesRoomForOthers() throws {
    let service = try RunningService(["--run", "runs/hipro", "--upload-time", "300"], in: shop.folder)
    let head = Data("POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(picture.count)\r\n".utf8)
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    // Some more than are let in, so that none has to arrive in time.
    for _ in 0..<70 {
      let socket = try service.connected()
      sockets.append(socket)
      let part = head + Data("\r\n".utf8) + picture.prefix(10)
      _ = part.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
    let whole = head + Data("Connection: close\r\n\r\n".utf8) + picture
    // Once all of them are known to the service one more is too many.
    var last: RunningService.Answer?
    let isFull = try eventually(within: 60) {
      last = try service.ask("POST", "/classify", picture)
      return last?.status == 429 && last?.error.contains("from one address") == true
    }
    #expect(isFull, "\(String(describing: last)) \(service.log.suffix(2000))")
    #expect(RunningService.parsed(try service.exchange([whole], from: "127.0.0.2")).status == 200)
    // Some that go make room.
    for socket in sockets.prefix(10) { close(socket) }
    sockets.removeFirst(10)
    #expect(try eventually(within: 30) { try service.ask("POST", "/classify", picture).status == 200 })
  }
}
