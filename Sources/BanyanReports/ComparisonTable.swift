/// Runs side by side: one row per run, one column per task, the average, and what it cost.
///
/// Values are means over a run's seeds with their spread. ``notes`` says where the comparison
/// would be unfair. The value itself is what `json` writes.
public struct ComparisonTable: Codable, Sendable, Equatable {
  /// One run.
  public struct Row: Codable, Sendable, Equatable {
    /// The method's title, with the run's folder where two runs have the same method.
    public var label: String
    /// The method's name in the catalogue.
    public var method: String
    /// The run's folder.
    public var run: String
    /// Top-1 by column, as fractions; `nil` where the run has no such task.
    public var tasks: [Double?]
    /// The sample standard deviations of ``tasks`` over seeds; `nil` for one seed.
    public var taskStds: [Double?]
    /// Top-1 on average over the run's tasks, as a fraction.
    public var average: Double
    /// The sample standard deviation of the average over seeds; `nil` for one seed.
    public var averageStd: Double?
    /// How many numbers were trained.
    public var trainableParameters: Int
    /// The whole wall time; `nil` where it was not measured.
    public var seconds: Double?
  }

  /// The columns: all tasks, in the order of the first run that has them.
  public var tasks: [String]
  /// The rows, in the order of the runs.
  public var rows: [Row]
  /// Why the runs do not compare fairly, a sentence each; empty where they do.
  public var notes: [String]

  /// Lays runs side by side.
  public init(_ runs: [NamedRecord]) {
    var tasks: [String] = []
    for run in runs { tasks += run.record.taskNames.filter { !tasks.contains($0) } }
    var uses: [String: Int] = [:]
    for run in runs { uses[run.record.methodTitle, default: 0] += 1 }
    self.tasks = tasks
    rows = runs.map { run in
      let record = run.record
      let title = record.methodTitle
      return Row(
        label: uses[title, default: 0] > 1 ? "\(title) (\(run.name))" : title, method: record.method, run: run.name,
        tasks: tasks.map { record.tasks[$0]?.top1 }, taskStds: tasks.map { record.tasks[$0]?.top1Std },
        average: record.average.top1, averageStd: record.average.top1Std,
        trainableParameters: record.trainableParameters, seconds: record.measured.totalSeconds)
    }
    notes = Fairness.notes(runs)
  }

  /// For each column of tasks, and last for the average, the best value as it is shown; `nil` for fewer than two
  /// values.
  var best: [String?] {
    let columns = tasks.indices.map { column in rows.compactMap { $0.tasks[column] } } + [rows.map(\.average)]
    return columns.map { values in values.count > 1 ? values.max().map(NumberText.percent) : nil }
  }
}
