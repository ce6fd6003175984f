/// What each way of combining a run's classifiers reached: `w_ind`, `w_shr`, `w_avg` and others, by task.
public struct CombinationTable: Codable, Sendable, Equatable {
  /// The columns: the run's tasks.
  public var tasks: [String]
  /// The combinations' names: individual, shared and average first, the others by name.
  public var names: [String]
  /// Top-1 by combination and task, as fractions; `nil` where there is none.
  public var values: [[Double?]]
  /// Top-1 on average over the tasks, by combination.
  public var averages: [Double]
  /// The spread of the averages over seeds, by combination.
  public var averageStds: [Double?]
  /// The combinations that the run's seeds chose for prediction.
  public var chosen: [String]

  /// Makes the table of one run; `nil` where its method has one classifier per task.
  public init?(_ record: RunRecord) {
    guard let combinations = record.combinations, !combinations.isEmpty else { return nil }
    let usual = ["individual", "shared", "average"].filter { combinations[$0] != nil }
    let names = usual + combinations.keys.filter { !usual.contains($0) }.sorted()
    let tasks = record.taskNames
    self.tasks = tasks
    self.names = names
    values = names.map { name in tasks.map { combinations[name]?.tasks[$0] } }
    averages = names.map { combinations[$0]?.average ?? 0 }
    averageStds = names.map { combinations[$0]?.averageStd }
    chosen = Set(record.runs.compactMap(\.chosenCombination)).sorted()
  }

  /// The table as aligned text in at most `width` columns, per cent, `>` before a combination used for prediction.
  public func text(width: Int) -> String {
    let rows = names.indices.map { row in
      [(chosen.contains(names[row]) ? "> " : "  ") + names[row]]
        + values[row].map { $0.map(NumberText.percent) ?? "–" }
        + [NumberText.percent(averages[row], spread: averageStds[row])]
    }
    let headings = ["  Combination"] + tasks + ["Average"]
    return TextTable(headings: headings, rows: rows, shortenable: 1..<tasks.count + 1).lines(width: width)
      .joined(separator: "\n") + "\n"
  }
}
