import BanyanFoundation
import BanyanTestSupport
import Foundation
import Synchronization
import Testing

/// What a service answers is what `banyan classify` says, whoever asks beside it and whatever else it serves.
@Suite struct ServedAnswerTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private func first(_ answer: RunningService.Answer) -> Answers {
    Answers(answer.json?["pictures"]?.arrayValue?.first)
  }

  private func metric(_ name: String, of service: RunningService) throws -> Int? {
    let lines = String(decoding: try service.ask("GET", "/metrics").data, as: UTF8.self).split(separator: "\n")
    return lines.first { $0.hasPrefix("\(name) ") }.flatMap { Double($0.dropFirst(name.count + 1)) }.map { Int($0) }
  }

  @Test func everybodyGetsTheAnswersToTheirOwnPictureInABatchOfMany() throws {
    // They wait for each other.
    let service = try RunningService(["--run", "runs/hipro", "--gather", "300"], in: shop.folder)
    let pictures = (0..<3).map { shop.world.picture($0, ($0 + 1) % 3, $0) }
    let truths = try pictures.map { try shop.classified("runs/hipro", $0) }
    let files = try pictures.map { try Data(contentsOf: $0) }
    let asked: [[String]] = [["chalk"], ["ink"], ["watercolour"], ["watercolour", "chalk"]]
    let found = Mutex<[Int: RunningService.Answer]>([:])
    together(12) { number in
      let query = asked[number / 3].map { "task=\($0)" }.joined(separator: "&")
      let answer = try? service.ask("POST", "/classify?\(query)", files[number % 3])
      found.withLock { $0[number] = answer }
    }.wait()
    let answers = found.withLock { $0 }
    for number in 0..<12 {
      let answer = try #require(answers[number])
      let truth = truths[number % 3].filter { asked[number / 3].contains($0.key) }
      #expect(answer.status == 200 && first(answer).isClose(to: truth), "\(number): \(answer), not \(truth)")
      // In the order in which they were asked.
      let names = answer.json?["pictures"]?.arrayValue?.first?["answers"]?.arrayValue?.map { $0["task"]?.stringValue }
      #expect(names == asked[number / 3])
    }
    let batches = try metric("banyan_batch_pictures_count", of: service)
    #expect(try metric("banyan_batch_pictures_sum", of: service) == 12 && batches ?? 12 < 12)
  }

  @Test func runsOnOneCheckpointShareAPass() throws {
    let service = try RunningService(["--run", "runs/hipro", "--run", "runs/coop"], in: shop.folder)
    let picture = shop.world.picture(1, 2, 0)
    let truth = try shop.classified("runs/hipro", picture).named(after: "hipro")
      .merging(shop.classified("runs/coop", picture).named(after: "coop")) { $1 }
    let answer = try service.ask("POST", "/classify", Data(contentsOf: picture))
    #expect(truth.count == 6 && first(answer).isClose(to: truth), "\(answer), not \(truth)")
    #expect(try metric("banyan_batch_pictures_sum", of: service) == 1)
  }

  @Test func namesThatOtherRunsHaveStayApart() throws {
    // One that another run's task gets because two runs have an ink.
    let world = try shop.smallWorld("served-names", tasks: ["hipro.ink", "watercolour"])
    let trained = try shop.train("runs/served-names", tasks: "served-names", ["--seeds", "1", "--epochs", "1"])
    #expect(trained.code == 0, "\(trained)")
    let service = try RunningService(
      ["hipro", "coop", "served-names"].flatMap { ["--run", "runs/\($0)"] }, in: shop.folder)
    let picture = try Data(contentsOf: world.picture(0, 1, 0))
    for (name, run, task) in [("hipro.ink", "served-names", "hipro.ink"), ("hipro.ink-2", "hipro", "ink")] {
      let truth = try shop.classified("runs/\(run)", world.picture(0, 1, 0))[task] ?? [:]
      let answer = try service.ask("POST", "/classify?task=\(name)", picture)
      #expect(truth.count == 3 && first(answer).isClose(to: [name: truth]), "\(answer), not \(truth)")
      #expect(try service.ask("GET", "/v2/models/\(name)").status == 200)
    }
  }

  @Test func towersOfTheirOwnAnswerBesideEachOther() throws {
    // A method that changes the image tower, and another checkpoint, whose pictures are smaller.
    let changed = try shop.run(
      "train", "--model", Workshop.model, "--tasks", "world", "--method", "vpt", "--shots", "2", "--seeds", "1",
      "--epochs", "1", "--threads", "1", "--output", "runs/served-vpt")
    #expect(changed.code == 0, "\(changed)")
    let other = try shop.train("runs/served-tiny", model: TinyCLIP.folder().path, ["--seeds", "1", "--epochs", "1"])
    #expect(other.code == 0, "\(other)")
    let runs = ["hipro", "served-vpt", "served-tiny"]
    let picture = shop.world.picture(2, 0, 1)
    let truths = try runs.map { try shop.classified("runs/\($0)", picture).named(after: $0) }
    let service = try RunningService(runs.flatMap { ["--run", "runs/\($0)"] }, in: shop.folder)
    let answer = try service.ask("POST", "/classify", Data(contentsOf: picture))
    let truth = truths.reduce(into: Answers()) { $0.merge($1) { $1 } }
    #expect(truth.count == 9 && first(answer).isClose(to: truth), "\(answer), not \(truth)")
  }

  @Test func anotherSeedAnswersAsItsPromptsDo() throws {
    let picture = shop.world.picture(1, 2, 0)
    let service = try RunningService(["--run", "runs/hipro", "--seed", "2"], in: shop.folder)
    let truth = try shop.classified("runs/hipro", picture, ["--seed", "2"])
    let answer = try service.ask("POST", "/classify", Data(contentsOf: picture))
    #expect(first(answer).isClose(to: truth), "\(answer), not \(truth)")
    #expect(try !first(answer).isClose(to: shop.classified("runs/hipro", picture)))
    let missing = try shop.run("serve", "--run", "runs/hipro", "--seed", "7")
    #expect(missing.code != 0 && missing.err.contains("1, 2"), "\(missing)")
  }

  @Test func aCheckpointThatHasMovedIsFoundWhereItIsSaidToBe() throws {
    let first = try shop.modelCopy("served-clip")
    let trained = try shop.train("runs/served-moved", model: "served-clip", ["--seeds", "1", "--epochs", "1"])
    #expect(trained.code == 0, "\(trained)")
    let moved = shop.folder.appending(path: "served-clip-moved")
    try FileManager.default.moveItem(at: first, to: moved)
    let lost = try shop.run("serve", "--run", "runs/served-moved", "--listen", "127.0.0.1:0")
    #expect(lost.code != 0 && lost.err.contains("--model"), "\(lost)")
    let place = ["--model", "served-clip-moved"]
    let picture = shop.world.picture(1, 2, 0)
    let truth = try shop.classified("runs/served-moved", picture, place)
    let service = try RunningService(["--run", "runs/served-moved"] + place, in: shop.folder)
    let answer = try service.ask("POST", "/classify", Data(contentsOf: picture))
    #expect(truth.count == 3 && self.first(answer).isClose(to: truth), "\(answer), not \(truth)")
  }

  @Test func picturesMayBeJPEGPNGOrWebP() throws {
    let service = try RunningService(["--run", "runs/hipro"], in: shop.folder)
    for (name, type) in [
      ("rgb-444.jpg", "image/jpeg"), ("cmyk.jpg", "image/jpeg"), ("orientation-6.jpg", "image/jpeg"),
      ("lossy.webp", "image/webp"), ("lossless-alpha.webp", "image/webp"), ("palette-4-interlaced.png", "image/png"),
    ] {
      let file = Golden.folder.appending(path: "image/\(name)")
      let truth = try shop.classified("runs/hipro", file)
      for headers in [["Content-Type": type], [:]] {
        let answer = try service.ask("POST", "/classify", Data(contentsOf: file), headers: headers)
        #expect(answer.status == 200 && first(answer).isClose(to: truth), "\(name): \(answer), not \(truth)")
      }
    }
  }

  @Test func pagesOfOtherSitesAndOtherNamesAreLetInWhereTheyAreNamed() throws {
    let bytes = try Data(contentsOf: shop.world.picture(1, 2, 0))
    func asked(_ service: RunningService, origin: String? = nil, host: String = "127.0.0.1") throws
      -> RunningService.Answer
    {
      let head =
        "POST /classify HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\nContent-Length: \(bytes.count)\r\n"
        + (origin.map { "Origin: \($0)\r\n" } ?? "") + "\r\n"
      return try RunningService.parsed(service.exchange([Data(head.utf8) + bytes]))
    }
    let closed = try RunningService(["--run", "runs/hipro"], in: shop.folder)
    let foreign = try asked(closed, origin: "https://b.example")
    #expect(foreign.status == 403 && foreign.headers["access-control-allow-origin"] == nil, "\(foreign)")
    let before = try closed.ask(
      "OPTIONS", "/classify", headers: ["Origin": "https://b.example", "Access-Control-Request-Method": "POST"])
    #expect(before.status != 204 && before.headers["access-control-allow-origin"] == nil, "\(before)")
    #expect(try asked(closed).status == 200 && asked(closed, host: "b.example").status == 421)
    let open = try RunningService(
      ["--run", "runs/hipro", "--origin", "*", "--host", "b.example", "--host", "127.0.0.1"], in: shop.folder)
    let welcome = try asked(open, origin: "https://b.example", host: "b.example")
    #expect(welcome.status == 200 && welcome.headers["access-control-allow-origin"] == "*", "\(welcome)")
    #expect(try asked(open, host: "c.example").status == 421)
  }

  @Test func theTokenMayComeFromTheEnvironment() throws {
    let token = "fedcba9876543210"
    let service = try RunningService(["--run", "runs/hipro"], in: shop.folder, environment: ["BANYAN_TOKEN": token])
    #expect(try service.ask("GET", "/runs").status == 401)
    #expect(try service.ask("GET", "/runs", headers: ["Authorization": "Bearer \(token)"]).status == 200)
    #expect(!service.log.contains(token))
    let short = try shop.run("serve", "--run", "runs/hipro", environment: ["BANYAN_TOKEN": "short"])
    #expect(short.code == 64 && short.err.contains("16"), "\(short)")
  }
}
