import BanyanFoundation

/// Where one new task was put in a trained tree, and why.
public struct GraftDecision: Codable, Sendable, Equatable {
  /// The new task.
  public var task: String
  /// The seed.
  public var seed: UInt64
  /// Its affinity to every old task.
  public var affinities: [String: Double]
  /// Its mean affinity to the tasks of every node of the old tree.
  public var nodes: [Double]
  /// The node of the old tree that it hangs below; `nil` where it stands alone.
  public var parent: Int?
  /// The old node whose prompt its own started from.
  public var start: Int
  /// How much of the refining step was taken, 0 to 1; `nil` without refinement, and where nobody shares the task's path.
  public var refined: Double?
  /// Validation accuracies of the tasks that share its path, by name; `nil` where `refined` is.
  public var guarded: [String: Guarded]?

  /// A task whose prompts another one refined.
  public struct Guarded: Codable, Sendable, Equatable {
    /// Its validation accuracy with the prompts before, as a fraction.
    public var before: Double
    /// And after.
    public var after: Double

    /// Two accuracies.
    public init(before: Double, after: Double) { (self.before, self.after) = (before, after) }
  }

  /// Where the decisions lie in a run's folder.
  public static let fileName = "graft.json"

  /// Creates a decision.
  public init(
    task: String, seed: UInt64, affinities: [String: Double], nodes: [Double], parent: Int?, start: Int,
    refined: Double? = nil
  ) {
    (self.task, self.seed, self.affinities, self.nodes) = (task, seed, affinities, nodes)
    (self.parent, self.start, self.refined) = (parent, start, refined)
  }

  /// Decisions as a table in at most `width` columns, with the accuracy that `record` has for each new task.
  public static func text(_ decisions: [GraftDecision], record: RunRecord, width: Int) -> String {
    let rows = decisions.map { decision -> [String] in
      let nearest = decision.affinities.max { ($0.value, $1.key) < ($1.value, $0.key) }
      let near = nearest.map { "\($0.key) (\(NumberText.fixed($0.value, 2)))" } ?? ""
      let result = record.runs.first { $0.seed == decision.seed }?.tasks[decision.task]
      let top1 = result.map { "\(NumberText.percent($0.top1)) %" } ?? ""
      let below = decision.parent.map { "node \($0)" } ?? "beside the roots"
      let refined = decision.refined.map(NumberText.significant) ?? "no"
      let worst = decision.guarded?.values.map { $0.after - $0.before }.min()
      let loss = worst.map { "\($0 < 0 ? "" : "+")\(NumberText.percent($0)) %" } ?? ""
      return [decision.task, "\(decision.seed)", below, near, "node \(decision.start)", top1, refined, loss]
    }
    let table = TextTable(
      headings: ["task", "seed", "below", "nearest", "starts from", "top-1", "refined", "old at worst"], rows: rows)
    return table.lines(width: width).joined(separator: "\n")
  }
}
