import ArgumentParser
import BanyanFoundation
import BanyanReports
import Foundation

struct Tree: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the affinity of tasks and the tree or the groups that were built from it.",
    discussion: """
      Read from the run's record alone. newick prints one tree a line, one line a seed. Where the tasks are a world that \
      `banyan world` drew, the planted tree stands beside it.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, newick }

  @Argument(help: ArgumentHelp("The folder of a finished run.", valueName: "run"))
  var folder: String

  @Option(help: ArgumentHelp("text, json or newick.", valueName: "format"))
  var format = Format.text

  @Option(help: ArgumentHelp("Only the tree of this seed.", valueName: "seed"))
  var seed: UInt64?

  private struct Entry: Encodable {
    var seed: UInt64
    var affinity: RecordedAffinity?
    var tree: RecordedTree?
    var groups: [[String]]?
    /// The cophenetic correlation with the tree that a drawn world planted.
    var agreement: Double?
    /// What 95 of 100 random trees stay below.
    var chance: Double?
  }

  func run() throws {
    var record = try RunRecord.read(URL(fileURLWithPath: folder))
    if let seed {
      record.runs = record.runs.filter { $0.seed == seed }
      guard !record.runs.isEmpty else {
        throw BanyanError(
          .usage, at: "--seed \(seed)", "the run has no such seed",
          remedy: "Choose one of: \(record.seeds.map(String.init).joined(separator: ", ")).")
      }
    }
    var trees = record.runs.compactMap { run in
      run.tree == nil && run.groups == nil
        ? nil : Entry(seed: run.seed, affinity: run.affinity, tree: run.tree, groups: run.groups)
    }
    let planted = try PlantedTree(of: record)
    if let planted, format == .json {
      let agreement = try planted.agreement(record)
      let chance = try planted.chance()
      for index in trees.indices {
        trees[index].agreement = agreement.first { $0.seed == trees[index].seed }?.correlation
        trees[index].chance = chance
      }
    }
    guard !trees.isEmpty, let text = try record.structureText(width: Terminal.width) else {
      throw BanyanError(.usage, at: folder, "\(record.methodTitle) builds no tree and no groups of tasks")
    }
    switch format {
    case .text:
      Terminal.result(text)
      if let planted { Terminal.result("\n" + (try planted.report(record, width: Terminal.width))) }
    case .json: Terminal.result(try JSONDocument.data(trees, subject: "trees"))
    case .newick:
      let lines = trees.compactMap(\.tree?.newick)
      guard !lines.isEmpty else {
        throw BanyanError(.usage, at: folder, "\(record.methodTitle) builds groups and no tree")
      }
      Terminal.result(lines.joined(separator: "\n"))
    }
  }
}
