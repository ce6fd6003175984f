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

/// `banyan demo` from the drawing to the table, under small settings, and what the other commands make of its folder.
@Suite(.serialized) struct DemoTests {
  private static let methods = ["zero-shot", "hipro"]
  private static let scale = ["--preset", "mixed", "--pictures", "3", "--shots", "1"]
  private static let shipped = Result { try ResourceFolder.url(target: "banyan", path: "demo") }
  private static let whole = Result {
    try Program.run(words("demo/whole", methods), in: Workshop.open().folder, environment: small())
  }

  private let shop: Workshop
  private let first: Program.Outcome

  init() throws {
    shop = try Workshop.open()
    first = try Self.whole.get()
  }

  private static func words(_ output: String, _ methods: [String]) -> [String] {
    ["demo", "--output", output, "--methods", methods.joined(separator: ",")] + scale
  }

  /// Resources in which the demo's settings are two seeds and few steps; the CLIP is still the one beside the program.
  private static func small() throws -> [String: String] {
    let root = try Workshop.open().folder.appendingPathComponent("small-demo")
    let folder = root.appendingPathComponent("banyan_banyan.resources/demo")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for method in methods {
      let own = try shipped.get().appendingPathComponent("\(method).json")
      let hasOwn = FileManager.default.fileExists(atPath: own.path)
      let file = try hasOwn ? own : shipped.get().appendingPathComponent("default.json")
      var settings = try #require(JSONDocument.read(JSONValue.self, from: file).objectValue)
      settings["seeds"] = .array([.integer(1), .integer(2)])
      settings["threads"] = .integer(1)
      if var training = settings["training"]?.objectValue {
        training["epochs"] = .integer(3)
        settings["training"] = .object(training)
        var affinity = settings["affinity"]?.objectValue ?? [:]
        affinity["steps"] = .integer(3)
        settings["affinity"] = .object(affinity)
      }
      try JSONDocument.write(JSONValue.object(settings), to: folder.appendingPathComponent("\(method).json"))
    }
    return ["BANYAN_RESOURCES": root.path]
  }

  private func demo(_ output: String, _ more: String..., methods: [String] = methods) throws -> Program.Outcome {
    try Program.run(Self.words(output, methods) + more, in: shop.folder, environment: Self.small())
  }

  private func json(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(outcome.out.utf8))
  }

  @Test func theTreesTheTableAndAPictureAreShown() throws {
    #expect(first.code == 0, "\(first)")
    for text in [
      "tree of seed 1", "affinity (centred-gradient-cosine", "planted tree", "Cophenetic correlation", "1 training",
    ] {
      #expect(first.out.contains(text), "\(text) in \(first)")
    }
    // Each method is itself, and its row says what its own record says.
    for method in Self.methods {
      let record = try shop.record("demo/whole/\(method)")
      #expect(record.method == method && record.seeds == [1, 2] && record.taskNames.count == 10)
      let row = try #require(
        first.out.split(separator: "\n").first { $0.hasPrefix("\(record.methodTitle) ") }, "\(first)")
      let spread = try #require(record.average.top1Std)
      #expect(row.contains(String(format: "%.1f ± %.1f", record.average.top1 * 100, spread * 100)), "\(row)")
    }
    #expect(!first.out.contains("CoOp"))
    #expect(first.err.contains("486 pictures of 10 tasks"))
    #expect(first.err.contains("banyan compare demo/whole/*/ --baseline zero-shot"))
    #expect(first.err.contains("banyan tree demo/whole/hipro"))
  }

  @Test func thePictureIsNamedUnderEveryTask() throws {
    let parts = first.out.components(separatedBy: "A test picture of ")
    let lines = try #require(parts.last).split(separator: "\n").dropFirst()
    let tasks = try shop.record("demo/whole/hipro").taskNames
    #expect(parts.count == 2 && lines.count == tasks.count)
    for (line, task) in zip(lines, tasks) {
      #expect(line.hasPrefix("  \(task) ") && line.filter { $0 == "%" }.count == 3, "\(line)")
    }
  }

  @Test func theSameCommandAgainDoesNothingAndSaysTheSame() throws {
    let records = try Self.methods.map { try shop.bytes("demo/whole/\($0)/record.json") }
    let again = try demo("demo/whole")
    #expect(again.code == 0 && again.out == first.out, "\(again)")
    #expect(again.err.components(separatedBy: "is finished").count == 3 && !again.err.contains("486 pictures"))
    #expect(try Self.methods.map { try shop.bytes("demo/whole/\($0)/record.json") } == records)
  }

  @Test func theTableIsThereAsJSON() throws {
    let outcome = try demo("demo/whole", "--format", "json", "--quiet")
    #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
    let table = try json(outcome)
    let rows = try #require(table["rows"]?.arrayValue)
    #expect(rows.compactMap { $0["method"]?.stringValue } == Self.methods)
    #expect(table["tasks"]?.arrayValue?.compactMap(\.stringValue) == (try shop.record("demo/whole/hipro").taskNames))
    for (row, method) in zip(rows, Self.methods) {
      #expect(row["average"]?.doubleValue == (try shop.record("demo/whole/\(method)").average.top1))
    }
  }

  @Test func treeComparesWithThePlantedOne() throws {
    let list = try json(shop.run("tree", "demo/whole/hipro", "--format", "json")).arrayValue ?? []
    #expect(list.compactMap { $0["seed"]?.intValue } == [1, 2])
    for (seed, entry) in zip(1..., list) {
      let agreement = try #require(entry["agreement"]?.doubleValue)
      let chance = try #require(entry["chance"]?.doubleValue)
      #expect((-1...1).contains(agreement) && (0...1).contains(chance), "\(agreement), \(chance)")
      #expect(first.out.contains(String(format: "%.2f (seed %d)", agreement, seed)), "\(agreement) in \(first.out)")
      #expect(first.out.contains(String(format: "stay below %.2f.", chance)))
    }
    let text = try shop.run("tree", "demo/whole/hipro")
    #expect(text.code == 0 && text.out.contains("planted tree"), "\(text)")
    // Pictures that no world has drawn have no planted tree.
    let other = try json(shop.run("tree", "runs/hipro", "--format", "json")).arrayValue ?? []
    #expect(other.count == 2 && other.allSatisfy { $0["agreement"] == nil && $0["chance"] == nil })
    #expect(try !shop.run("tree", "runs/hipro").out.contains("planted"))
  }

  @Test func aStoppedDemoGoesOnWithTheSameCommand() throws {
    for name in ["world", "features"] {
      let target = shop.folder.appendingPathComponent("demo/stopped")
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        at: shop.folder.appendingPathComponent("demo/whole/\(name)"), to: target.appendingPathComponent(name))
    }
    let running = try Program.start(
      Self.words("demo/stopped", ["hipro"]), in: shop.folder, environment: Self.small())
    eventually(within: 10) { running.said.contains("Seed 1 (1 of 2)") || !running.process.isRunning }
    running.kill(SIGINT)
    let stopped = try running.finish()
    #expect(stopped.code == 130 && !stopped.isSignal && stopped.out.isEmpty, "\(stopped)")
    #expect(!shop.exists("demo/stopped/hipro/record.json"))
    let resumed = try demo("demo/stopped", methods: ["hipro"])
    #expect(resumed.code == 0, "\(resumed)")
    for seed in 1...2 {
      let name = "hipro/seed-\(seed)/prompts.safetensors"
      #expect(try shop.bytes("demo/stopped/\(name)") == shop.bytes("demo/whole/\(name)"), "\(name)")
    }
  }

  @Test func whatIsWrongIsNamedAndNothingIsLeft() throws {
    let cases: [(words: [String], text: String)] = [
      (["--preset", "planets"], "planets"), (["--methods", "zero-shot,hipr"], "Did you mean hipro"),
      (["--pictures", "0"], "--pictures 0"), (["--format", "csv"], "json"),
    ]
    for (words, text) in cases {
      let outcome = try Program.run(["demo", "--output", "demo/wrong"] + words, in: shop.folder)
      #expect(outcome.code == 64 && !outcome.isSignal && outcome.err.contains(text), "\(words): \(outcome)")
      #expect(outcome.out.isEmpty && !shop.exists("demo/wrong"), "\(words)")
    }
  }

  @Test func whatIsThereAndIsNoDemoStays() throws {
    let letter = Data("years".utf8)
    for place in ["demo/mine/world", "demo/run/zero-shot"] {
      let folder = shop.folder.appendingPathComponent(place)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try letter.write(to: folder.appendingPathComponent("thesis.txt"))
    }
    try letter.write(to: shop.folder.appendingPathComponent("demo/file"))
    for (output, text) in [
      ("demo/mine", "something else than a world"), ("demo/run", "not empty"), ("demo/file", "demo/file"),
    ] {
      for more in [[], ["--overwrite"]] {
        let outcome = try Program.run(
          Self.words(output, ["zero-shot"]) + more, in: shop.folder, environment: Self.small())
        #expect([1, 64].contains(outcome.code) && !outcome.isSignal && outcome.out.isEmpty, "\(outcome)")
        #expect(outcome.err.contains(text), "\(outcome)")
      }
    }
    for place in ["demo/mine/world/thesis.txt", "demo/run/zero-shot/thesis.txt", "demo/file"] {
      #expect(try shop.bytes(place) == letter)
    }
  }

  @Test func aProgramWithoutItsResourcesSaysWhereTheyBelong() throws {
    let lonely = shop.folder.appendingPathComponent("lonely")
    try FileManager.default.createDirectory(at: lonely, withIntermediateDirectories: true)
    let program = lonely.appendingPathComponent("banyan")
    try FileManager.default.copyItem(at: Program.url, to: program)
    let training = [
      "train", "--model", Workshop.model, "--tasks", "world", "--method", "zero-shot", "--shots", "1", "--seeds", "1",
      "--output", "demo/lonely-run",
    ]
    let nowhere = ["BANYAN_RESOURCES": "/nowhere"]
    let name = "banyan_BanyanCLIP"
    for words in [Self.words("demo/lonely", ["hipro"]), training] {
      let outcome = try Program.run(words, in: shop.folder, environment: nowhere, program: program)
      #expect(outcome.code == 69 && !outcome.isSignal && outcome.out.isEmpty, "\(outcome)")
      for text in ["BANYAN_RESOURCES", "/nowhere", lonely.lastPathComponent, name] {
        #expect(outcome.err.contains(text), "\(text) in \(outcome)")
      }
    }
    // The remedy helps.
    let helped = try Program.run(
      training, in: shop.folder, environment: ["BANYAN_RESOURCES": Program.url.deletingLastPathComponent().path],
      program: program)
    #expect(helped.code == 0, "\(helped)")
  }

  @Test func theSettingsThatShipServeTheirMethods() throws {
    let folder = try Self.shipped.get()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      // Protocols of many runs lie beside the settings.
      .filter { !["all-methods.json", "trees.json"].contains($0) }.map { $0.dropLast(5) }
    #expect(Set(names) == Set(Workshop.methods.map { $0[...] } + ["default"]))
    for name in names {
      let method = name == "default" ? "coop" : String(name)
      let outcome = try Program.run(
        [
          "train", "--config", folder.appendingPathComponent("\(name).json").path, "--model", Workshop.model,
          "--tasks", "world", "--method", method, "--shots", "1", "--seeds", "1", "--output", "demo/settings-\(name)",
        ] + (method == "zero-shot" ? [] : ["--epochs", "1"]), in: shop.folder)
      #expect(outcome.code == 0 && outcome.out.contains("chalk"), "\(name): \(outcome)")
    }
  }
}
