import BanyanCLIP
import BanyanFoundation
import BanyanTestSupport
import Foundation
import Synchronization
import Testing

/// `banyan serve`, asked as clients ask.
@Suite struct ServeTests {
  private let shop: Workshop
  private let picture: URL

  init() throws {
    shop = try Workshop.open()
    picture = shop.world.picture(1, 2, 0)
  }

  private func service(_ words: [String] = [], runs: [String] = ["runs/hipro"]) throws -> RunningService {
    try RunningService(runs.flatMap { ["--run", $0] } + words, in: shop.folder)
  }

  /// The CRC of a chunk of a PNG.
  private static func checksum(_ bytes: Data) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in (value >> 1) ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
  }

  @Test func everyTaskAnswersAsClassifyDoes() throws {
    let service = try service()
    let bytes = try Data(contentsOf: picture)
    let truth = try shop.classified("runs/hipro", picture)
    let all = try service.ask("POST", "/classify", bytes, headers: ["Content-Type": "image/png"])
    #expect(all.status == 200 && all.headers["content-type"] == "application/json", "\(all)")
    let answers = Answers(all.json?["pictures"]?.arrayValue?.first)
    #expect(answers.isClose(to: truth), "\(all) \(truth)")
    // One task, one class.
    let one = try service.ask("POST", "/classify?task=ink&top=1", bytes)
    let guesses = Answers(one.json?["pictures"]?.arrayValue?.first)
    #expect(guesses.count == 1 && guesses["ink"]?.count == 1, "\(one)")
    let twice = try service.ask("POST", "/classify?task=ink&task=ink&top=1", bytes)
    #expect(twice.data == one.data)
    #expect(
      guesses.isClose(to: ["ink": truth["ink"]?.filter { $0.value == truth["ink"]?.values.max() } ?? [:]]), "\(one)"
    )
    // A form with two pictures, one that is none, and the task as a field.
    let several = try service.ask(
      "POST", "/classify",
      Form.body([
        ("picture", "a \"b\".png".replacing("\"", with: "'"), bytes), ("picture", "none.png", Data("no".utf8)),
        ("picture", "c.png", bytes), ("task", nil, Data("chalk".utf8)),
      ]), headers: Form.headers)
    let pictures = several.json?["pictures"]?.arrayValue ?? []
    #expect(several.status == 200 && pictures.count == 3, "\(several)")
    #expect(pictures.map { $0["name"]?.stringValue } == ["a 'b'.png", "none.png", "c.png"])
    #expect(pictures[1]["error"]?.stringValue?.contains("expected a JPEG, PNG or WebP") == true)
    for index in [0, 2] { #expect(Answers(pictures[index]).isClose(to: ["chalk": truth["chalk"] ?? [:]])) }
  }

  @Test func whatCannotBeAnsweredIsSaidWithItsStatus() throws {
    let service = try service(["--max-body", "1", "--max-pixels", "1", "--max-pictures", "3"])
    let bytes = try Data(contentsOf: picture)
    var bomb = bytes
    // Width and height in the header; a decoder that believes them would ask for 40 gigabytes.
    bomb.replaceSubrange(16..<24, with: [0, 1, 0xFF, 0xFF, 0, 1, 0xFF, 0xFF])
    let sum = Self.checksum(bomb[12..<29])
    bomb.replaceSubrange(29..<33, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
    let cases: [(String, String, Data?, [String: String], Int, String)] = [
      ("POST", "/classify", nil, [:], 400, "expected a picture"),
      ("POST", "/classify", Data(), [:], 400, "expected a picture"),
      ("POST", "/classify?task=inc", bytes, [:], 404, "Did you mean ink"),
      ("POST", "/classify?tusk=ink", bytes, [:], 400, "Did you mean task"),
      ("POST", "/classify?top=0", bytes, [:], 400, "top"),
      ("POST", "/classify?task=%FF", bytes, [:], 400, "percent"),
      ("POST", "/classify", Data("GIF89a".utf8), [:], 422, "GIF"),
      ("POST", "/classify", bytes.prefix(200), [:], 422, "damaged"),
      ("POST", "/classify", bomb, [:], 422, "pixels"),
      ("POST", "/classify", Data(count: 1_100_000), [:], 413, "at most 1048576 bytes"),
      ("POST", "/classify", bytes, ["Content-Type": "text/plain"], 415, "text/plain"),
      ("POST", "/classify", bytes, ["Content-Encoding": "gzip"], 415, "gzip"),
      ("POST", "/classify", bytes, ["Content-Type": "multipart/form-data"], 400, "boundary"),
      ("POST", "/classify", bytes, Form.headers, 400, "no boundary"),
      ("POST", "/classify", Data("--xyz\r\n\r\nno end".utf8), Form.headers, 400, "does not end"),
      ("POST", "/classify", Form.body([("other", nil, Data("x".utf8))]), Form.headers, 400, "other"),
      ("POST", "/classify", Form.body((0..<4).map { ("p", "\($0)", bytes) }), Form.headers, 400, "at most 3 pictures"),
      (
        "POST", "/classify", Form.body([("task", nil, Data(count: 5000)), ("p", "a", bytes)]), Form.headers, 400,
        "1024 bytes"
      ),
      ("GET", "/v2/models/\(String(repeating: "x", count: 5000))", nil, [:], 404, "so long a name"),
      (
        "POST", "/v2/models/ink/infer",
        Data(
          #"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}],"outputs":[{"name":"label"},{"name":"label"}]}"#
            .utf8), [:], 400, "each output once"
      ),
      (
        "POST", "/v2/models/ink/infer",
        Data(
          #"{"inputs":[{"name":"pixels","shape":[1,3,64,64],"datatype":"FP32","data":["#.utf8)
          + Data(Array(repeating: "1e30", count: 3 * 64 * 64).joined(separator: ",").utf8) + Data("]}]}".utf8), [:],
        400,
        "normalised planes"
      ),
      ("GET", "/classify", nil, [:], 405, "expected POST"),
      ("PUT", "/v2/models/ink/infer", nil, [:], 405, "expected POST"),
      ("GET", "/nowhere", nil, [:], 404, "Not Found"),
      ("GET", "/v2/models/inc", nil, [:], 404, "Did you mean ink"),
      ("GET", "/v2/models/ink/versions/77", nil, [:], 404, "Choose one of: 1"),
      ("POST", "/v2/models/ink/infer", Data("{".utf8), [:], 400, "JSON object"),
      ("POST", "/v2/models/ink/infer", Data("[]".utf8), [:], 400, "JSON object"),
      ("POST", "/v2/models/ink/infer", Data("{}".utf8), [:], 400, "inputs"),
      ("POST", "/v2/models/ink/infer", Data(String(repeating: "[", count: 90_000).utf8), [:], 400, "JSON object"),
      (
        "POST", "/v2/models/ink/infer",
        Data(#"{"inputs":[{"name":"image","shape":[9223372036854775807,9],"datatype":"BYTES","data":[]}]}"#.utf8), [:],
        400, "shape"
      ),
      (
        "POST", "/v2/models/ink/infer",
        Data(#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["%%"]}]}"#.utf8), [:], 400, "base64"
      ),
      (
        "POST", "/v2/models/ink/infer", Data(#"{"inputs":[]}"#.utf8), ["Inference-Header-Content-Length": "99"], 400,
        "Inference-Header"
      ),
      (
        "POST", "/v2/models/ink/infer",
        Data(
          #"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}]}"#.utf8)
          + Data([255, 255, 255, 255, 0, 0]), ["Inference-Header-Content-Length": "96"], 400, "cut short"
      ),
      // More elements than the shape has, as text and as bytes: none behind the last is looked at.
      (
        "POST", "/v2/models/ink/infer",
        Data(#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA","%%"]}]}"#.utf8), [:], 400,
        "found more"
      ),
      (
        "POST", "/v2/models/ink/infer",
        Data(
          #"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":8}}]}"#.utf8)
          + Data(count: 4) + Data(repeating: 255, count: 4), ["Inference-Header-Content-Length": "96"], 400,
        "found more"
      ),
    ]
    for (method, path, body, headers, status, words) in cases {
      let answer = try service.ask(method, path, body, headers: headers)
      #expect(answer.status == status && answer.error.contains(words), "\(method) \(path): \(answer)")
      #expect(status != 405 || answer.headers["allow"] == "POST")
    }
    // What is no HTTP at all.
    for bytes in [
      "HELLO\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /classify HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
    ] {
      let answer = RunningService.parsed(try service.exchange([Data(bytes.utf8)], untilClosed: false))
      #expect(answer.status == 400 && answer.data.isEmpty, "\(bytes): \(answer)")
    }
    #expect(try service.ask("POST", "/classify", bytes).status == 200)
    #expect(try service.stop().code == 0)
    #expect(!service.log.contains("Fatal"))
  }

  @Test func theInferenceProtocolIsSpokenAsJSON() throws {
    let service = try service(runs: ["runs/hipro", "runs/coop"])
    #expect(try service.ask("GET", "/v2/health/live").status == 200)
    let names = try service.ask("GET", "/v2/models").json?["models"]?.arrayValue?.compactMap(\.stringValue) ?? []
    // Two runs know each task.
    #expect(names.contains("hipro.ink") && names.contains("coop.chalk") && names.count == 6)
    let bytes = try Data(contentsOf: picture)
    let truth = try shop.classified("runs/coop", picture)["chalk"]
    let request = JSONValue.object([
      "id": "7",
      "inputs": [
        [
          "name": "image", "shape": [2], "datatype": "BYTES",
          "data": .array([String](repeating: bytes.base64EncodedString(), count: 2).map { .string($0) }),
        ]
      ],
    ])
    let answer = try service.ask(
      "POST", "/v2/models/coop.chalk/versions/1/infer", JSONEncoder().encode(request),
      headers: ["Content-Type": "application/json"])
    #expect(answer.status == 200 && answer.json?["id"]?.stringValue == "7", "\(answer)")
    let outputs = answer.json?["outputs"]?.arrayValue ?? []
    let classes =
      try service.ask("GET", "/v2/models/coop.chalk").json?["parameters"]?["classes"]?.arrayValue?
      .compactMap(\.stringValue) ?? []
    let row = outputs.first?["data"]?.arrayValue?.compactMap(\.doubleValue) ?? []
    #expect(row.count == 2 * classes.count && classes.count == 3)
    for (index, name) in classes.enumerated() { #expect(abs(row[index] - (truth?[name] ?? 9)) < 1e-5) }
    #expect(outputs.last?["data"]?.arrayValue?.count == 2)
  }

  @Test func aTokenIsAskedForAndOtherSitesAreNotLetIn() throws {
    let token = "0123456789abcdef0123"
    try Data("\(token)\n".utf8).write(to: shop.folder.appendingPathComponent("token"))
    let service = try service(["--token-file", "token", "--origin", "https://a.example"])
    let bytes = try Data(contentsOf: picture)
    for header in [nil, "Bearer", "Bearer wrong", "Basic \(token)", "Bearer \(token)x", token] as [String?] {
      let answer = try service.ask("POST", "/classify", bytes, headers: header.map { ["Authorization": $0] } ?? [:])
      #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer", "\(header ?? "none"): \(answer)")
    }
    let good = ["Authorization": "bearer \(token)", "X-Request-Id": "abc-1", "Origin": "https://a.example"]
    let answer = try service.ask("POST", "/classify", bytes, headers: good)
    #expect(answer.status == 200 && answer.headers["x-request-id"] == "abc-1", "\(answer)")
    #expect(answer.headers["access-control-allow-origin"] == "https://a.example")
    let other = try service.ask(
      "POST", "/classify", bytes, headers: ["Authorization": "Bearer \(token)", "Origin": "https://b.example"])
    #expect(other.status == 403 && other.headers["access-control-allow-origin"] == nil)
    // The service's own page, and a name that stands for this machine without being its own.
    let own = try service.ask(
      "POST", "/classify", bytes, headers: ["Authorization": "Bearer \(token)", "Origin": "http://127.0.0.1"])
    #expect(own.status == 200)
    let renamed = RunningService.parsed(
      try service.exchange([Data("GET /runs HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n".utf8)]))
    #expect(renamed.status == 421 && renamed.error.contains("--host"))
    #expect(try service.ask("GET", "/").status == 200)
    // A browser asks beforehand, without the token.
    let before = try service.ask(
      "OPTIONS", "/classify", headers: ["Origin": "https://a.example", "Access-Control-Request-Method": "POST"])
    #expect(before.status == 204 && before.headers["access-control-allow-headers"]?.contains("Authorization") == true)
    #expect(try service.ask("GET", "/v2/health/ready").status == 200)
    #expect(!service.log.contains(token))
    for (text, words) in [("short", "16"), ("", "16")] {
      try Data(text.utf8).write(to: shop.folder.appendingPathComponent("bad-token"))
      let refused = try shop.run("serve", "--run", "runs/hipro", "--listen", "127.0.0.1:0", "--token-file", "bad-token")
      #expect(refused.code == 64 && refused.err.contains(words), "\(refused)")
    }
  }

  @Test func whatIsAcceptedIsAnsweredBeforeItStops() throws {
    let service = try service(["--batch", "2", "--latency", "\(60 * Sanitizer.slowdown)"])
    let bytes = try Data(contentsOf: picture)
    let four = Form.body((0..<4).map { ("picture", "\($0)", bytes) })
    // `nil` where nobody listened any more.
    let answers = Mutex<[RunningService.Answer?]>([])
    let group = together(24) { _ in
      let answer = try? service.ask("POST", "/classify", four, headers: Form.headers)
      answers.withLock { $0.append(answer) }
    }
    // Some are in the house when the door is shut; whoever had an answer before the metrics are read is none of them.
    var (answered, taken) = (0, 0)
    let isBusy = eventually(within: 10, every: 0.002) {
      answered = answers.withLock { $0.count(where: { $0?.isWhole == true }) }
      taken = ((try? service.ask("GET", "/metrics"))?.waiting ?? 0) / 4
      return taken > 3
    }
    let outcome = try service.stop()
    group.wait()
    #expect(outcome.code == 0 && isBusy, "\(outcome)")
    let found = answers.withLock { $0 }
    let whole = found.count(where: { $0?.isWhole == true })
    #expect(whole >= answered + taken, "\(whole) whole answers; \(answered) before, \(taken) taken: \(found)")
    // What came too late found nobody; nobody got half an answer.
    #expect(found.allSatisfy { $0.map { $0.isWhole || $0.status == 0 && $0.data.isEmpty } ?? true }, "\(found)")
  }

  /// What so many clients get that all ask at once, each so often.
  private func rush(_ service: RunningService, clients: Int, asks: Int = 1) throws -> [RunningService.Answer] {
    let bytes = try Data(contentsOf: picture)
    let answers = Mutex<[RunningService.Answer]>([])
    together(clients) { _ in
      for _ in 0..<asks {
        guard let answer = try? service.ask("POST", "/classify", bytes) else { continue }
        answers.withLock { $0.append(answer) }
      }
    }.wait()
    return answers.withLock { $0 }
  }

  @Test func beyondItsBoundsItRefusesAndKeepsWhatItPromised() throws {
    let service = try service(["--queue", "3", "--max-pictures", "3", "--batch", "1", "--gather", "0"])
    let found = try rush(service, clients: 12, asks: 6)
    #expect(found.count == 72 && found.allSatisfy { [200, 429].contains($0.status) }, "\(found.map(\.status))")
    #expect(found.contains { $0.status == 200 } && found.contains { $0.status == 429 }, "\(found.map(\.status))")
    for answer in found where answer.status == 429 {
      #expect((answer.headers["retry-after"].flatMap { Int($0) } ?? 0) >= 1 && answer.error.contains("wait"))
    }
    // By address too: a burst of four, and then no more than the rate.
    let slow = try self.service(["--rate", "2"])
    let start = ContinuousClock().now
    let limited = try rush(slow, clients: 24)
    let seconds = start.duration(to: ContinuousClock().now) / Duration.seconds(1)
    let passed = limited.count(where: { $0.status == 200 })
    #expect(limited.count == 24 && passed >= 4 && Double(passed) <= 4 + 2 * seconds, "\(limited.map(\.status))")
    #expect(passed < 24)
    for answer in limited where answer.status != 200 {
      #expect(answer.status == 429 && answer.error.contains("from one address"), "\(answer)")
    }
  }

  @Test func slowAndVanishingClientsHoldNothingUp() throws {
    let time = 0.5 * Sanitizer.slowdown
    let service = try service(["--upload-time", "\(time)", "--log-format", "json"])
    let bytes = try Data(contentsOf: picture)
    let head = "POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(bytes.count)\r\n\r\n"
    let start = Date.now
    let late = RunningService.parsed(
      try service.exchange([Data(head.utf8) + bytes.prefix(20), Data()], pause: 0))
    #expect(late.status == 408 && late.error.contains("\(time) s"), "\(late)")
    #expect(Date.now.timeIntervalSince(start) < 20 * Sanitizer.slowdown)
    for _ in 0..<20 {
      let socket = try service.connected()
      let part = Data(head.utf8) + bytes.prefix(100)
      _ = part.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, 0) }
      close(socket)
    }
    // One that asks and asks and reads nothing.
    let deaf = try service.connected()
    defer { close(deaf) }
    let pleas = Data(String(repeating: "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", count: 400).utf8)
    _ = pleas.withUnsafeBytes { send(deaf, $0.baseAddress, $0.count, 0) }
    #expect(try service.ask("POST", "/classify", bytes, headers: ["X-Request-Id": "not-held-up"]).status == 200)
    let events = service.events
    let own = events.first { $0["request"] == "not-held-up" && $0["message"] == "request" }
    #expect(own?["route"] == "/classify" && own?["status"] == "200" && own?["level"] == "info", "\(service.log)")
    #expect(!events.contains { $0["level"] == "error" || $0["level"] == "critical" }, "\(service.log)")
  }

  @Test func moreThanCanBeAnsweredInTimeIsRefusedAtOnce() throws {
    // A full batch takes longer than what is promised; a lone picture is taken whatever it takes.
    let service = try service(["--latency", "0.02", "--gather", "0"])
    let bytes = try Data(contentsOf: picture)
    let many = Form.body((0..<64).map { ("picture", "\($0)", bytes) })
    let refused = try service.ask("POST", "/classify", many, headers: Form.headers)
    #expect(refused.status == 413 && refused.error.contains("send fewer"), "\(refused)")
    #expect(try service.ask("POST", "/classify", bytes).status == 200)
  }

  @Test func whoDoesNotReadDoesNotKeepItFromStopping() throws {
    let time = 0.5 * Sanitizer.slowdown
    let service = try service(["--upload-time", "\(time)", "--latency", "\(time)"])
    let bytes = try Data(contentsOf: picture)
    let deaf = try service.connected()
    defer { close(deaf) }
    // More answers than the buffers of a connection hold, so that the service is in the middle of one when it is to stop.
    let pleas = Data(String(repeating: "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", count: 2000).utf8)
    _ = pleas.withUnsafeBytes { send(deaf, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    #expect(try service.ask("POST", "/classify", bytes).status == 200)
    let start = Date.now
    let outcome = try service.stop()
    // By itself: only after both times and fifteen seconds would it be cut off from outside.
    #expect(outcome.code == 0 && Date.now.timeIntervalSince(start) < 2 * time + 13, "\(outcome)")
  }

  @Test func httpsSmallPrintIsKept() throws {
    // A token file written on Windows.
    try Data("0123456789abcdef\r\nnotes\r\n".utf8).write(to: shop.folder.appending(path: "crlf-token"))
    let service = try service(["--token-file", "crlf-token"])
    let token = "Authorization: Bearer 0123456789abcdef\r\n"
    let bytes = try Data(contentsOf: picture)
    // Where GET is, HEAD is, and no answer to it has a body, or the next answer would begin in the middle of it.
    let heads = ["/", "/runs", "/v2/health/live", "/classify", "/nowhere"]
    let asked =
      heads.map { "HEAD \($0) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(token)\r\n" }.joined()
      + "GET /v2 HTTP/1.1\r\nHost: 127.0.0.1\r\n\(token)Connection: close\r\n\r\n"
    let answers = String(decoding: try service.exchange([Data(asked.utf8)]), as: UTF8.self)
    let statuses = answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
    #expect(statuses == ["200", "200", "200", "405", "404", "200"], "\(answers)")
    let parts = answers.components(separatedBy: "\r\n\r\n")
    #expect(parts.count == 7 && parts.dropFirst().dropLast().allSatisfy { $0.hasPrefix("HTTP/1.1 ") }, "\(answers)")
    // Who asks before sending a large body is told to.
    let head =
      "POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\n\(token)Expect: 100-continue\r\nConnection: close\r\n"
      + "Content-Type: image/png\r\nContent-Length: \(bytes.count)\r\n\r\n"
    let told = String(decoding: try service.exchange([Data(head.utf8), bytes], pause: 0.3), as: UTF8.self)
    #expect(told.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "\(told.prefix(300))")
  }

  @Test func thePageTheDocumentAndTheMetricsAreThere() throws {
    let service = try service(["--log-format", "json"])
    let page = try service.ask("GET", "/")
    let html = String(decoding: page.data, as: UTF8.self)
    #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
    #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    #expect(!html.contains("http:") && !html.contains("https:"))
    let document = try service.ask("GET", "/openapi.json").json
    #expect(document?["openapi"]?.stringValue == "3.1.0" && document?["paths"]?["/classify"]?["post"] != nil)
    let runs = try service.ask("GET", "/runs").json?["runs"]?.arrayValue ?? []
    let tasks = runs.first?["tasks"]?.arrayValue ?? []
    #expect(runs.count == 1 && tasks.count == 3 && (runs.first?["nodes"]?.arrayValue?.count ?? 0) == 5)
    #expect(tasks.allSatisfy { ($0["prompts"]?.arrayValue?.count ?? 0) >= 2 })
    _ = try service.ask("POST", "/classify", Data(contentsOf: picture))
    let metrics = String(decoding: try service.ask("GET", "/metrics").data, as: UTF8.self)
    for line in [
      "# TYPE banyan_requests_total counter", "banyan_requests_total{route=\"/classify\",status=\"200\"} 1",
      "banyan_pictures_total 1", "# TYPE banyan_request_seconds histogram", "banyan_batch_pictures_count 1",
      "banyan_batch_pictures_bucket{le=\"1\"} 1", "banyan_pictures_waiting 0",
    ] {
      #expect(metrics.contains(line + "\n"), "\(line) is not in\n\(metrics)")
    }
    let lines = service.log.split(separator: "\n").filter { $0.hasPrefix("{") }
    #expect(
      lines.count > 3
        && lines.contains { $0.contains("\"route\":\"\\/classify\"") || $0.contains("\"route\":\"/classify\"") })
    for line in lines { #expect((try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))) != nil) }
  }

  @Test func whatCannotBeServedIsSaidAtOnce() throws {
    let taken = try service()
    for (words, code, part) in [
      ([], Int32(64), "--run"), (["--run", "nowhere"], 66, "nowhere"),
      (["--run", "runs/hipro", "--listen", "here"], 64, "host:port"),
      (["--run", "runs/hipro", "--listen", "127.0.0.1:99999"], 64, "host:port"),
      (["--run", "runs/hipro", "--seed", "9"], 64, "no such seed"),
      (["--run", "runs/hipro", "--queue", "1"], 64, "--queue"),
      (["--run", "runs/hipro", "--gather", "600", "--latency", "1"], 64, "half of --latency"),
      (["--run", "runs/hipro", "--log-level", "lowd"], 64, "--log-level"),
      (["--run", "runs/hipro", "--listen", "127.0.0.1:\(taken.port)"], 1, "--listen"),
    ] {
      let outcome = try Program.run(["serve", "--threads", "1"] + words, in: shop.folder)
      #expect(outcome.code == code && outcome.err.contains(part), "\(words): \(outcome)")
    }
  }

  private static let python = ProcessInfo.processInfo.environment["BANYAN_CHECKS_PYTHON"].flatMap {
    $0.isEmpty ? nil : $0
  }

  @Test(.enabled(if: python != nil)) func tritonsClientIsAnswered() throws {
    let service = try service()
    let outcome = try shop.run(
      "classify", "--run", "runs/hipro", "--task", "ink", "--top", "9", "--format", "json", picture.path)
    try Data(outcome.out.utf8).write(to: shop.folder.appendingPathComponent("truth.json"))
    let asked = try Program.run(
      [
        Checks.script("ask_service.py"), "127.0.0.1:\(service.port)", "ink", picture.path,
        shop.folder.appendingPathComponent("truth.json").path,
      ], in: shop.folder, program: URL(fileURLWithPath: Self.python ?? ""))
    #expect(asked.code == 0 && asked.out.contains("asked"), "\(asked)")
  }

  @Test(.enabled(if: python != nil), arguments: [nil, "0123456789abcdef89ab"])
  func theServiceKeepsToItsDocument(_ token: String?) throws {
    if let token { try Data(token.utf8).write(to: shop.folder.appendingPathComponent("document-token")) }
    let service = try service(token == nil ? [] : ["--token-file", "document-token"])
    let outcome = try Program.run(
      [
        "-m", "schemathesis.cli", "run", "http://127.0.0.1:\(service.port)/openapi.json", "--max-examples", "25",
        "--seed", "1", "--workers", "1", "--no-color",
        // No schema can say that a text is a picture.
        "--exclude-checks", "positive_data_acceptance",
      ] + (token.map { ["--header", "Authorization: Bearer \($0)"] } ?? []),
      in: shop.folder, program: URL(fileURLWithPath: Self.python ?? ""))
    #expect(outcome.code == 0, "\(outcome)")
    // The document's own example is a picture, and was answered.
    let metrics = try service.ask("GET", "/metrics", headers: token.map { ["Authorization": "Bearer \($0)"] } ?? [:])
    #expect(String(decoding: metrics.data, as: UTF8.self).contains("\nbanyan_batch_pictures_count "), "\(metrics)")
  }
}

extension RunningService.Answer {
  /// How many pictures wait or are in work, as metrics say it.
  fileprivate var waiting: Int {
    let text = String(decoding: data, as: UTF8.self)
    // A line before it says what it is.
    guard let mark = text.range(of: "\nbanyan_pictures_waiting ") else { return 0 }
    return Int(text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
  }

  /// Whether four pictures are answered, to the last byte.
  fileprivate var isWhole: Bool { status == 200 && json?["pictures"]?.arrayValue?.count == 4 }
}

/// The scripts that read what Banyan writes with other people's programs.
enum Checks {
  static func script(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Tools/checks/\(name)").path
  }
}
