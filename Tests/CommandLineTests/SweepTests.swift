import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `banyan experiment FILE` from the plan to the table.
@Suite(.serialized) struct SweepTests {
  private static let file = """
    {"title": "Two methods", "paper": "A paper", "data": "Draw the world first.", "expected": {"coop-mt": 61.5},
     "base": {"model": "embedded", "tasks": "world", "seeds": [1, 2], "threads": 1,
              "training": {"epochs": 2, "batchSize": 8}},
     "samples": ["2 shots"],
     "runs": [{"method": "zero-shot"}, {"method": "coop-mt", "options": {"context": {"length": 2}}}]}
    """
  private static let whole = Result {
    let shop = try Workshop.open()
    try write(shop, "two", file)
    return try shop.run("experiment", "sweeps/two.json", "--output", "sweeps/whole")
  }

  private let shop: Workshop
  private let first: Program.Outcome

  init() throws {
    shop = try Workshop.open()
    first = try Self.whole.get()
  }

  private static func write(_ shop: Workshop, _ name: String, _ text: String) throws {
    let url = shop.folder.appendingPathComponent("sweeps/\(name).json")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  /// A finished sweep in a folder of its own.
  private func copy(_ name: String) throws -> String {
    let url = shop.folder.appendingPathComponent("sweeps/\(name)")
    try FileManager.default.copyItem(at: shop.folder.appendingPathComponent("sweeps/whole"), to: url)
    return "sweeps/\(name)"
  }

  @Test func theDryRunShowsThePlanAndWritesNothing() throws {
    let outcome = try shop.run("experiment", "sweeps/two.json", "--output", "sweeps/never", "--dry-run")
    #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
    for text in ["zero-shot", "coop-mt", "2 shots", "missing", "2 of 2 runs are left"] {
      #expect(outcome.out.contains(text), "\(text) in \(outcome)")
    }
    // A step of each method was timed; without tasks there is none to time.
    #expect(!outcome.out.contains("unknown"))
    let blind = try shop.run(
      "experiment", "sweeps/two.json", "--output", "sweeps/never", "--dry-run", "--tasks", "nowhere")
    #expect(blind.code == 0 && blind.out.contains("2 of 2 runs are left, 2 of unknown time."), "\(blind)")
    #expect(!shop.exists("sweeps/never"))
    let done = try shop.run(
      "experiment", "sweeps/two.json", "--output", "sweeps/whole", "--dry-run", "--format", "json", "--set",
      "training.epochs=2")
    let rows = try JSONDecoder().decode(JSONValue.self, from: Data(done.out.utf8))["rows"]?.arrayValue ?? []
    // Three classes of two pictures are one step; two epochs and two seeds are four.
    #expect(rows.compactMap { $0["steps"]?.intValue } == [0, 4], "\(done)")
    #expect(rows.allSatisfy { $0["isDone"]?.boolValue == true && ($0["seconds"]?.doubleValue ?? 0) > 0 })
  }

  @Test func theTableSaysWhatTheRecordsSay() throws {
    #expect(first.code == 0, "\(first)")
    #expect(first.err.contains("2 of 2 runs are left"))
    for text in ["Two methods", "Paper: A paper", "2 shots: top-1 accuracy", "seeds 1, 2", "Memory", "chalk"] {
      #expect(first.out.contains(text), "\(text) in \(first)")
    }
    for (name, paper) in [("zero-shot", "–"), ("coop-mt", "61.5")] {
      let record = try shop.record("sweeps/whole/2-shots/\(name)")
      #expect(record.method == name && record.seeds == [1, 2] && record.taskNames.count == 3)
      let row = try #require(
        first.out.split(separator: "\n").first { $0.hasPrefix("\(record.methodTitle) ") }, "\(first)")
      let spread = try #require(record.average.top1Std)
      let average = String(format: "%.1f ± %.1f", record.average.top1 * 100, spread * 100)
      #expect(row.contains(average) && row.contains(" \(paper) ") && row.hasSuffix(" MiB"), "\(row)")
    }
  }

  @Test func theSameCommandAgainDoesNothingAndSaysTheSame() throws {
    let names = ["zero-shot", "coop-mt"].map { "sweeps/whole/2-shots/\($0)/record.json" }
    let records = try names.map { try shop.bytes($0) }
    let again = try shop.run("experiment", "sweeps/two.json", "--output", "sweeps/whole")
    #expect(again.code == 0 && again.out == first.out, "\(again)")
    #expect(again.err.contains("Nothing is left to do.") && !again.err.contains("=="), "\(again)")
    #expect(try names.map { try shop.bytes($0) } == records)
  }

  @Test func onlyARemovedRunIsDoneAgain() throws {
    let output = try copy("partly")
    let kept = try shop.bytes("\(output)/2-shots/zero-shot/record.json")
    try FileManager.default.removeItem(at: shop.folder.appendingPathComponent("\(output)/2-shots/coop-mt"))
    let outcome = try shop.run("experiment", "sweeps/two.json", "--output", output)
    #expect(outcome.code == 0 && outcome.err.contains("== coop-mt (2 shots), 1 of 1"), "\(outcome)")
    #expect(!outcome.err.contains("== zero-shot"))
    #expect(try shop.bytes("\(output)/2-shots/zero-shot/record.json") == kept)
    let learned = "2-shots/coop-mt/seed-2/prompts.safetensors"
    #expect(try shop.bytes("\(output)/\(learned)") == shop.bytes("sweeps/whole/\(learned)"))
  }

  @Test func otherSettingsAreRefusedUntilTheyAreToReplaceTheRun() throws {
    let output = try copy("changed")
    let before = try shop.lasting(output)
    let words = [
      "experiment", "sweeps/two.json", "--output", output, "--only", "coop-mt", "--set", "training.epochs=3",
    ]
    let refused = try Program.run(words, in: shop.folder)
    #expect(refused.code == 64 && refused.out.isEmpty && refused.err.contains("other settings"), "\(refused)")
    #expect(refused.err.contains("coop-mt: training.epochs") && refused.err.contains("--overwrite"), "\(refused)")
    #expect(try shop.lasting(output) == before)
    let dry = try Program.run(words + ["--dry-run"], in: shop.folder)
    #expect(dry.code == 0 && dry.out.contains("other settings") && dry.out.contains("about "), "\(dry)")
    let replaced = try Program.run(words + ["--overwrite"], in: shop.folder)
    #expect(replaced.code == 0, "\(replaced)")
    let record = try shop.record("\(output)/2-shots/coop-mt")
    #expect(record.experiment[path: "training.epochs"]?.intValue == 3)
    let zero = "2-shots/zero-shot/record.json"
    #expect(try shop.bytes("\(output)/\(zero)") == shop.bytes("sweeps/whole/\(zero)"))
  }

  @Test func whatIsUnknownIsNamedBeforeAnythingRuns() throws {
    try Self.write(
      shop, "wrong",
      """
      {"base": {"model": "embedded", "tasks": "world"},
       "runs": [{"method": "zero-shot"}, {"method": "copo"}, {"method": "coop", "trainng": {"epochs": 3}}]}
      """)
    let outcome = try shop.run("experiment", "sweeps/wrong.json", "--output", "sweeps/wrong")
    #expect(outcome.code == 64 && outcome.out.isEmpty && !shop.exists("sweeps/wrong"), "\(outcome)")
    #expect(outcome.err.contains("copo") && outcome.err.contains("Did you mean coop"), "\(outcome)")
    #expect(outcome.err.contains("trainng") && outcome.err.contains("Did you mean training"), "\(outcome)")
    let cases: [(words: [String], code: Int32, text: String)] = [
      (["sweeps/absent.json"], 66, "no such file"),
      (["sweeps/two.json", "--only", "coop"], 64, "Did you mean coop-mt"),
      (["sweeps/two.json", "--seeds", "1,x"], 64, "--seeds 1,x"),
      (["sweeps/two.json", "--tasks", "nowhere"], 66, "Draw the world first."),
      (["sweeps/two.json", "--model", "nowhere"], 66, "Draw the world first."),
    ]
    for (words, code, text) in cases {
      let outcome = try Program.run(["experiment"] + words + ["--output", "sweeps/wrong"], in: shop.folder)
      #expect(outcome.code == code && outcome.err.contains(text) && outcome.out.isEmpty, "\(words): \(outcome)")
      #expect(!shop.exists("sweeps/wrong"), "\(words)")
    }
  }

  @Test func aRunThatFailsDoesNotStopTheOthers() throws {
    try Self.write(
      shop, "failing",
      """
      {"base": {"model": "embedded", "tasks": "world", "seeds": [1], "threads": 1}, "samples": ["1 shot", "2 shots"],
       "runs": [{"name": "lost", "method": "zero-shot", "data": {"only": ["nowhere"]}}, {"method": "zero-shot"}]}
      """)
    for attempt in 0..<2 {
      let outcome = try shop.run("experiment", "sweeps/failing.json", "--output", "sweeps/failing")
      #expect(outcome.code == 1 && !outcome.isSignal, "\(outcome)")
      #expect(outcome.out.contains("1 shot: top-1") && outcome.out.contains("2 shots: top-1"), "\(outcome)")
      #expect(outcome.err.contains("2 of 4 runs failed") && outcome.err.contains("lost (1 shot): "), "\(outcome)")
      #expect(outcome.err.contains("== zero-shot (1 shot)") == (attempt == 0), "\(outcome)")
    }
    let words = ["experiment", "sweeps/failing.json", "--output", "sweeps/failing", "--only", "zero-shot", "--format"]
    let json = try Program.run(words + ["json"], in: shop.folder)
    let report = try JSONDecoder().decode(JSONValue.self, from: Data(json.out.utf8))
    let tables = report["tables"]?.arrayValue ?? []
    #expect(json.code == 0 && tables.compactMap { $0["samples"]?.stringValue } == ["1 shot", "2 shots"], "\(json)")
    let rows = tables.compactMap { $0[path: "comparison.rows"]?.arrayValue?.first?["average"]?.doubleValue }
    #expect(try rows.last == shop.record("sweeps/failing/2-shots/zero-shot").average.top1)
    #expect(tables.allSatisfy { ($0["peakMemoryBytes"]?.arrayValue?.first?.intValue ?? 0) > 10_000_000 })
    let markdown = try Program.run(words + ["markdown"], in: shop.folder)
    #expect(markdown.out.contains("| --- | ---:") && markdown.out.contains(" MiB |"), "\(markdown)")
  }

  @Test func aWorldIsDrawnFirst() throws {
    try Self.write(
      shop, "drawn",
      """
      {"base": {"model": "embedded", "tasks": {"world": {"preset": "mixed", "seed": 11, "pictures": 3}}, "seeds": [1],
                "threads": 1}, "samples": ["1 shot"], "runs": [{"method": "zero-shot"}]}
      """)
    let dry = try shop.run("experiment", "sweeps/drawn.json", "--output", "sweeps/drawn", "--dry-run")
    #expect(dry.code == 0 && dry.err.isEmpty && !shop.exists("sweeps/drawn"), "\(dry)")
    let outcome = try shop.run("experiment", "sweeps/drawn.json", "--output", "sweeps/drawn")
    #expect(outcome.code == 0 && outcome.err.contains("pictures of 10 tasks"), "\(outcome)")
    #expect(shop.exists("sweeps/drawn/world/mixed-11-3/world.json"))
    #expect(try shop.record("sweeps/drawn/1-shot/zero-shot").taskNames.count == 10)
    let again = try shop.run("experiment", "sweeps/drawn.json", "--output", "sweeps/drawn")
    #expect(again.code == 0 && again.out == outcome.out && !again.err.contains("pictures of"), "\(again)")
  }

  @Test func aStoppedSweepGoesOnWithTheSameCommand() throws {
    let words = [
      "experiment", "sweeps/two.json", "--output", "sweeps/stopped", "--seeds", "5", "--set", "training.epochs=800",
    ]
    let running = try Program.start(words, in: shop.folder)
    shop.awaitSteps(of: "sweeps/stopped/2-shots/coop-mt", by: running)
    running.kill(SIGINT)
    let stopped = try running.finish()
    #expect(stopped.code == 130 && !stopped.isSignal && stopped.out.isEmpty, "\(stopped)")
    #expect(stopped.err.contains("Go on with the same command: banyan experiment sweeps/two.json"), "\(stopped)")
    let resumed = try Program.run(words, in: shop.folder)
    #expect(resumed.code == 0 && resumed.err.contains("begun: goes on"), "\(resumed)")
    #expect(resumed.err.contains("goes on at step") && !resumed.err.contains("== zero-shot"), "\(resumed)")
    #expect(try shop.record("sweeps/stopped/2-shots/coop-mt").seeds == [5])
  }
}
