import BanyanFoundation
import Foundation
import Testing

/// What the program says without doing any work.
@Suite struct CommandSurfaceTests {
  private let folder = FileManager.default.temporaryDirectory

  private func run(_ words: String...) throws -> Program.Outcome { try Program.run(words, in: folder) }

  private static let commands = [
    "train", "compare", "report", "tree", "landscape", "classify", "evaluate", "methods", "world", "demo", "pretrain",
    "experiment", "watch", "embed", "map", "recommend", "meta-task", "words", "serve", "export",
    "graft", "drift",
  ]

  @Test(arguments: commands)
  func everyCommandHasHelp(_ command: String) throws {
    let outcome = try run(command, "--help")
    #expect(outcome.code == 0)
    #expect(outcome.out.contains("USAGE: banyan \(command)"))
    #expect(outcome.err.isEmpty)
  }

  @Test func theHelpOfTheProgramNamesCommandsAndExitCodes() throws {
    let outcome = try run("--help")
    #expect(outcome.code == 0)
    for word in Self.commands + ["130 interrupted"] { #expect(outcome.out.contains(word)) }
  }

  @Test func theVersionIsOneLine() throws {
    let outcome = try run("--version")
    #expect(outcome.code == 0)
    #expect(outcome.out.hasPrefix("banyan ") && outcome.out.contains("libtorch"))
    #expect(outcome.out.split(separator: "\n").count == 1)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionScriptsKnowTheCommands(_ shell: String) throws {
    let outcome = try run("--generate-completion-script", shell)
    #expect(outcome.code == 0)
    for word in Self.commands + ["learning-rate", "patch-dropping"] { #expect(outcome.out.contains(word)) }
  }

  @Test func methodsListsEachWithPaperAndOptions() throws {
    let text = try run("methods")
    #expect(text.code == 0)
    let json = try run("methods", "--format", "json")
    let list = try JSONDecoder().decode(JSONValue.self, from: Data(json.out.utf8)).arrayValue ?? []
    #expect(list.count == 20)
    for entry in list {
      let name = try #require(entry[path: "descriptor.name"]?.stringValue)
      let paper = try #require(entry[path: "descriptor.paper"]?.stringValue)
      #expect(text.out.contains(name) && text.out.contains(paper))
      for option in entry[path: "descriptor.options"]?.arrayValue ?? [] {
        let key = try #require(option["key"]?.stringValue)
        #expect(entry["defaults"]?[path: key] != nil, "\(name): \(key)")
      }
    }
    #expect(try run("methods", "hipro").out.contains("CVPR 2023"))
  }

  @Test func unknownNamesAreUsageErrorsWithNearNames() throws {
    let cases: [([String], String)] = [
      (["methods", "hipr"], "Did you mean hipro"),
      (["train", "--model", "m", "--tasks", "t", "--method", "copo"], "Did you mean coop"),
      (["train", "--epoch", "3"], "--epochs"),
      (["train", "--set", "training.epoch=3"], "Did you mean epochs"),
      (["train", "--model", "m", "--tasks", "t", "--set", "options.context.lenght=3"], "Did you mean length"),
      (["train", "--set", "training=3"], "expected an object"),
      (["train", "--set", "=3"], "key=value"),
      (["train", "--set", "a..b=3"], "empty"),
      (["train", "--seeds", "1,,2"], "--seeds"),
      (["train", "--seeds=-1"], "--seeds"),
      (["train", "--seeds", "99999999999999999999999"], "--seeds"),
      (["train", "--shots", "two"], "--shots"),
      (["train", "--shots", "2", "--percentage", "5"], "--percentage"),
      (["train", "--resume", "--overwrite"], "--resume"),
      (["train", "--optimizer", "adamm"], "optimizer"),
      (["nonsense"], "nonsense"),
      (["compare"], "<runs>"),
      (["classify", "--run", "x"], "<pictures>"),
      (["classify", "--run", "x", "--top", "0", "p.png"], "--top"),
      (["methods", "--format", "yaml"], "json"),
      (["train"], "--model"),
      (["train", "--model", "m"], "--tasks"),
      (["experiment"], "<file>"),
    ]
    for (words, expected) in cases {
      let outcome = try Program.run(words, in: folder)
      #expect(outcome.code == 64 && !outcome.isSignal, "\(words): \(outcome)")
      #expect(outcome.err.contains(expected), "\(words): \(outcome)")
      #expect(outcome.out.isEmpty, "\(words)")
    }
  }

  @Test func theWordThatWasSetIsNamed() throws {
    let outcome = try run("train", "--set", "training.epoch=3")
    #expect(outcome.err.contains("training.epoch:") && outcome.err.contains("epochs"))
  }

  @Test(arguments: [
    ("--learning-rate", "nan"), ("--learning-rate", "inf"), ("--learning-rate", "1e300"), ("--epochs", "0"),
    ("--shots", "0"), ("--percentage", "nan"), ("--seeds", "1,1"), ("--validation-shots=-2", ""), ("--threads", "0"),
    ("--set", "seeds=[18446744073709551616]"), ("--device", "tpu"), ("--affinity", "cosine"), ("--combine", "best"),
  ])
  func absurdValuesAreRefusedBeforeAnythingIsRead(_ flag: String, _ value: String) throws {
    let words = ["train", "--model", "m", "--tasks", "t", "--output", "never", flag] + (value.isEmpty ? [] : [value])
    let outcome = try Program.run(words, in: folder)
    #expect(outcome.code == 64 && !outcome.isSignal, "\(outcome)")
    #expect(!outcome.err.contains("EncodingError") && !outcome.err.contains("DecodingError"), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("never").path))
  }

  @Test func aClosedPipeEndsTheProgramQuietly() throws {
    let outcome = try Program.run(
      ["-c", "'\(Program.url.path)' methods | head -n 1; '\(Program.url.path)' methods | true"], in: folder,
      program: URL(fileURLWithPath: "/bin/sh"))
    #expect(outcome.out.contains("zero-shot"))
    #expect(outcome.err.isEmpty)
  }
}
