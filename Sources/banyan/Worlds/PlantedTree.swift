import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTraining
import BanyanWorlds
import Foundation

/// The tree that a drawn world planted, beside the trees that a run found.
struct PlantedTree {
  private let tree: TaskTree

  /// The planted tree of the world that a run learned from; `nil` where its tasks are no drawn world.
  init?(of record: RunRecord) throws {
    guard let experiment = try? Experiment(record.experiment, subject: "record"),
      let summary = try WorldSummary.read(folder: URL(fileURLWithPath: experiment.tasks))
    else { return nil }
    let planted = try TaskTree(newick: summary.plantedTree)
    guard Set(planted.names) == Set(record.taskNames) else { return nil }
    tree = try planted.reordered(to: record.taskNames)
  }

  /// The drawing of the planted tree.
  func text(width: Int) throws -> String { try TreeDrawing(RecordedTree(tree)).text(width: width) }

  /// How well the tree of each seed agrees with the planted one: the correlation of where each pair of tasks meets.
  func agreement(_ record: RunRecord) throws -> [(seed: UInt64, correlation: Double)] {
    try record.runs.compactMap { run in
      guard let found = run.tree else { return nil }
      let correlation = try tree.copheneticCorrelation(with: TaskTree(newick: found.newick, names: tree.names))
      return correlation.map { (run.seed, $0) }
    }
  }

  /// The correlation that 95 of 100 random trees stay below.
  func chance(samples: UInt64 = 1000) throws -> Double? {
    let values = try (0..<samples).compactMap { seed in
      try tree.copheneticCorrelation(with: TaskTree.random(tree.names, seed: seed))
    }.sorted()
    return values.isEmpty ? nil : values[min(values.count - 1, values.count * 95 / 100)]
  }

  /// The planted tree and the agreement, as text.
  func report(_ record: RunRecord, width: Int) throws -> String {
    var text = "planted tree\n" + (try self.text(width: width))
    let agreement = try agreement(record)
    guard !agreement.isEmpty, let chance = try chance() else { return text }
    func number(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(2))) }
    let list = agreement.map { "\(number($0.correlation)) (seed \($0.seed))" }.joined(separator: ", ")
    text +=
      "Cophenetic correlation with the planted tree: \(list); 95 of 100 random trees stay below \(number(chance)).\n"
    return text
  }
}
