import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTraining
import Foundation

/// The readers of JSON, CSV and Newick; the first byte chooses.
enum JSONReaders {
  private static let readers: [@Sendable (Data) throws -> Void] = [
    record, experiment, pretraining, sweep, configuration, preprocessing, tree, newick, tasks, captions, taxonomy, live,
    figures, matrix,
  ]

  static func read(_ bytes: Data) throws {
    guard let first = bytes.first else { return }
    try readers[Int(first) % readers.count](Data(bytes.dropFirst()))
  }

  /// A record that is read can be shown.
  private static func record(_ text: Data) throws {
    let record: RunRecord = try Scratch.file("record.json", text) { _ in try RunRecord.read(Scratch.folder) }
    let written = try JSONDocument.data(record, subject: "again")
    let again: RunRecord = try JSONDocument.decode(from: written, subject: "again")
    FuzzTarget.require(again == record, "a record that changes when it is written")
    let named = NamedRecord(name: "fuzzed", record: record)
    _ = ComparisonTable([named]).text(width: 80)
    _ = try ReportPage([named]).html
  }

  private static func experiment(_ text: Data) throws {
    let experiment = try Experiment(JSONDocument.decode(from: text, subject: "fuzzed"), subject: "fuzzed")
    let again = try Experiment(experiment.differences(), subject: "again")
    FuzzTarget.require(again == experiment, "an experiment that changes when it is written")
  }

  private static func pretraining(_ text: Data) throws {
    _ = try PretrainingSettings(JSONDocument.decode(from: text, subject: "fuzzed"), subject: "fuzzed")
  }

  private static func sweep(_ text: Data) throws {
    let sweep = try Sweep(JSONDocument.decode(from: text, subject: "fuzzed"), subject: "fuzzed")
    let file = Scratch.folder.appending(path: "sweep.json")
    _ = try SweepPlan(sweep, file: file, output: Scratch.folder.appending(path: "runs"), only: [], overlays: [])
  }

  private static func configuration(_ text: Data) throws {
    let name = text.first.map { $0 % 2 == 0 } ?? true ? "config.json" : "open_clip_config.json"
    _ = try Scratch.file(name, text) { try CLIPConfiguration(contentsOf: $0) }
  }

  private static func preprocessing(_ text: Data) throws {
    _ = try ImagePreprocessor(configuration: JSONDocument.decode(from: text, subject: "fuzzed"))
  }

  /// A tree that is read can be written, cut and drawn.
  private static func tree(_ text: Data) throws {
    let tree: TaskTree = try JSONDocument.decode(from: text, subject: "fuzzed")
    let again: TaskTree = try JSONDocument.decode(from: JSONDocument.data(tree, subject: "again"), subject: "again")
    FuzzTarget.require(again == tree, "a tree that changes when it is written")
    _ = tree.newick
  }

  private static func newick(_ text: Data) throws {
    let tree = try TaskTree(newick: String(decoding: text, as: UTF8.self))
    // The text has its own order of the tasks.
    let again = try TaskTree(newick: tree.newick, names: tree.names)
    FuzzTarget.require(again.names == tree.names && again.newick == tree.newick, "Newick that changes")
  }

  private static func tasks(_ text: Data) throws {
    let name = text.first.map { $0 % 2 == 0 } ?? true ? "tasks.csv" : "split.json"
    _ = try Scratch.file(name, text) { try TaskSuite.load($0.path) }
  }

  private static func captions(_ text: Data) throws {
    let name = text.first.map { $0 % 2 == 0 } ?? true ? "captions.csv" : "metadata.jsonl"
    _ = try Scratch.file(name, text) { try CaptionedPictures.load($0.path) }
  }

  private static func taxonomy(_ text: Data) throws {
    _ = try Scratch.file("taxonomy.csv", text) { try Taxonomy(contentsOf: $0) }
  }

  private static func live(_ text: Data) throws {
    let status = try Scratch.file("status.json", text) { _ in try LiveStatus.read(Scratch.folder) }
    guard let status else { return }
    _ = status.screen(width: 60, now: status.updated, isAlive: true)
  }

  private static func figures(_ text: Data) throws {
    let folders = ["landscapes", "maps", "words"]
    let folder = folders[Int(text.first ?? 0) % folders.count]
    try Scratch.file("\(folder)/fuzzed.json", text) { _ in
      _ = try LandscapeRecord.readAll(Scratch.folder)
      _ = try MapRecord.readAll(Scratch.folder)
      _ = try WordsRecord.readAll(Scratch.folder)
    }
  }

  private static func matrix(_ text: Data) throws {
    if text.first.map({ $0 % 2 == 0 }) ?? true {
      _ = try Scratch.file("nearest.json", text) { try ExpertMatrix.read($0) }
    } else {
      _ = try Scratch.file("embeddings.json", text) { try EmbeddingRecord.read($0) }
    }
  }
}
