/// What one way of combining a method's classifiers reached, over all seeds.
public struct CombinationSummary: Codable, Sendable, Equatable {
  /// Top-1 accuracy by task, the mean over seeds, as a fraction.
  public var tasks: [String: Double]
  /// The mean over tasks and seeds, as a fraction.
  public var average: Double
  /// The sample standard deviation over seeds of the mean over tasks; `nil` for one seed.
  public var averageStd: Double?

  /// Creates a summary.
  public init(tasks: [String: Double], average: Double, averageStd: Double?) {
    self.tasks = tasks
    self.average = average
    self.averageStd = averageStd
  }

  /// The summaries of all combinations that the seeds have results for; `nil` where there are none.
  public static func summaries(of runs: [SeedRun]) -> [String: CombinationSummary]? {
    let names = Set(runs.flatMap { $0.tasks.values.flatMap { $0.combinations?.keys.map { $0 } ?? [] } })
    guard !names.isEmpty else { return nil }
    var summaries: [String: CombinationSummary] = [:]
    for name in names {
      var tasks: [String: [Double]] = [:]
      var averages: [Double] = []
      for run in runs {
        let values = run.tasks.compactMapValues { $0.combinations?[name] }
        guard !values.isEmpty else { continue }
        for (task, value) in values { tasks[task, default: []].append(value) }
        averages.append(Statistics.mean(values.sorted { $0.key < $1.key }.map(\.value)))
      }
      summaries[name] = CombinationSummary(
        tasks: tasks.mapValues(Statistics.mean), average: Statistics.mean(averages),
        averageStd: Statistics.standardDeviation(averages))
    }
    return summaries
  }
}
