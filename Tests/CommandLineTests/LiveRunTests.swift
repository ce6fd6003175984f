import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

/// What can be seen of a run while it works.
@Suite struct LiveRunTests {
  private let shop: Workshop
  /// A Python with the tensorboard package; `make test` sets it.
  private static let python = ProcessInfo.processInfo.environment["BANYAN_CHECKS_PYTHON"].flatMap {
    $0.isEmpty ? nil : $0
  }

  init() throws { shop = try Workshop.open() }

  @Test func aRunAtWorkCanBeWatched() throws {
    let running = try Program.start(
      shop.training("runs/watched", method: "hipro", ["--epochs", "4000", "--seeds", "1"]), in: shop.folder)
    let status = shop.folder.appendingPathComponent("runs/watched/status.json")
    var seen: Program.Outcome?
    try eventually(within: 60, every: 0.1) {
      guard FileManager.default.fileExists(atPath: status.path) else { return !running.process.isRunning }
      seen = try shop.run("watch", "runs/watched", "--once")
      return seen?.out.contains("loss by task") == true
    }
    let json = try shop.run("watch", "runs/watched", "--format", "json")
    running.kill(SIGINT)
    let end = try running.finish()
    #expect(end.code == 130, "\(end)")
    let screen = try #require(seen)
    for words in ["HiPro", "Training", "rate", "loss by task", "chalk", "tree of tasks", "MiB"] {
      #expect(screen.out.contains(words), "\(words) is not in \(screen)")
    }
    let found = try JSONDecoder().decode(LiveStatus.self, from: Data(json.out.utf8))
    #expect(found.method == "HiPro" && found.total > found.done && !found.losses.isEmpty && found.tree != nil)
    // A stopped run is no longer at work.
    #expect(!FileManager.default.fileExists(atPath: status.path))
    let after = try shop.run("watch", "runs/watched")
    #expect(after.code == 66 && after.err.contains("no run is at work") && after.err.contains("--resume"))
    try FileManager.default.removeItem(at: shop.folder.appendingPathComponent("runs/watched"))
  }

  @Test func aFinishedRunShowsItsTable() throws {
    let outcome = try shop.run("watch", "runs/coop")
    #expect(outcome.code == 0 && outcome.out.contains("Average") && outcome.err.contains("finished"))
    #expect(try shop.run("watch", "nowhere").code == 66)
  }

  @Test func aRunWritesALogBesideItsFolder() throws {
    let outcome = try shop.train(
      "runs/logged", method: "hipro", ["--tensorboard", "board", "--seeds", "1,2"])
    #expect(outcome.code == 0, "\(outcome)")
    let names = try [1, 2].map {
      try FileManager.default.contentsOfDirectory(
        atPath: shop.folder.appendingPathComponent("board/logged/seed-\($0)").path)
    }
    #expect(names.allSatisfy { $0.count == 1 && $0[0].hasPrefix("events.out.tfevents.") })
    // The log changes nothing of what is learned.
    #expect(
      try shop.bytes("runs/logged/seed-1/prompts.safetensors") == shop.bytes("runs/hipro/seed-1/prompts.safetensors"))
    let file = try shop.train("runs/no-log", ["--tensorboard", "world/chalk/fish/100.png"])
    #expect(file.code == 1 && !shop.exists("runs/no-log"))
    // What does not begin leaves no log.
    let none = try shop.train("runs/no-log", model: "nowhere", ["--tensorboard", "no-board"])
    #expect(none.code == 66 && !shop.exists("no-board"))
    // Once more in place of the first: one log, not two that are read as one.
    let again = try shop.train(
      "runs/logged", method: "hipro", ["--tensorboard", "board", "--seeds", "1,2", "--overwrite"])
    #expect(again.code == 0, "\(again)")
    #expect(
      try FileManager.default.contentsOfDirectory(
        atPath: shop.folder.appendingPathComponent("board/logged/seed-1").path
      ).count == 1)
  }

  @Test(.enabled(if: python != nil)) func tensorboardItselfReadsTheLog() throws {
    let python = try #require(Self.python)
    let outcome = try shop.train("runs/read", method: "hipro", ["--tensorboard", "board-read", "--seeds", "1"])
    #expect(outcome.code == 0, "\(outcome)")
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Tools/checks/read_events.py")
    let read = try Program.run(
      [script.path, "board-read"], in: shop.folder, program: URL(fileURLWithPath: python))
    #expect(read.code == 0, "\(read)")
    let found = try JSONDecoder().decode(JSONValue.self, from: Data(read.out.utf8))
    let seed = try #require(found["read/seed-1"])
    let record = try shop.record("runs/read")
    func last(_ tag: String) -> Double? { seed["scalars"]?[tag]?.arrayValue?.last?.arrayValue?.last?.doubleValue }
    for task in shop.world.tasks {
      let curve = seed["scalars"]?["loss/\(task)"]?.arrayValue ?? []
      #expect(curve.count == record.runs[0].steps)
      #expect(abs((last("top1/\(task)") ?? -1) - (record.runs[0].tasks[task]?.top1 ?? 0)) < 1e-6)
    }
    #expect(abs((last("top1/average") ?? -1) - record.average.top1) < 1e-6)
    #expect(last("rate") != nil && last("memory/peak MiB") != nil)
    let images = seed["images"]?.objectValue ?? [:]
    #expect(images.count > 3 && images.keys.contains("figures/affinity-1"))
    for (name, image) in images { #expect(image["said"] == image["is"], "\(name)") }
    let settings = try #require(seed["settings"])
    #expect(settings["values"]?["method"]?.stringValue == "hipro")
    #expect(settings["values"]?["training.epochs"]?.doubleValue == 3)
    #expect(settings["metrics"]?.arrayValue?.first?.stringValue == "top1/average")
    #expect(settings["_hparams_/session_end_info"]?.stringValue == "session_end_info")
  }
}
