/// What a run reached on one task, over all seeds.
public struct TaskSummary: Codable, Sendable, Equatable {
  /// Top-1 accuracy, the mean over seeds, as a fraction.
  public var top1: Double
  /// The sample standard deviation of top-1 over seeds; `nil` for one seed.
  public var top1Std: Double?
  /// Top-1 accuracy by seed, in the order of the run's seeds.
  public var perSeed: [Double]
  /// The expected calibration error, the mean over seeds, as a fraction.
  public var expectedCalibrationError: Double
  /// How many images one seed trained on (the first seed's number).
  public var trainSamples: Int
  /// How many images one seed validated on (the first seed's number).
  public var validationSamples: Int
  /// How many images one seed was tested on (the first seed's number).
  public var testSamples: Int

  /// Creates a summary.
  public init(
    top1: Double, top1Std: Double?, perSeed: [Double], expectedCalibrationError: Double, trainSamples: Int,
    validationSamples: Int, testSamples: Int
  ) {
    self.top1 = top1
    self.top1Std = top1Std
    self.perSeed = perSeed
    self.expectedCalibrationError = expectedCalibrationError
    self.trainSamples = trainSamples
    self.validationSamples = validationSamples
    self.testSamples = testSamples
  }

  /// The summaries of all tasks that the seeds have results for.
  public static func summaries(of runs: [SeedRun]) -> [String: TaskSummary] {
    var summaries: [String: TaskSummary] = [:]
    for task in Set(runs.flatMap(\.tasks.keys)) {
      let results = runs.compactMap { $0.tasks[task] }
      let split = runs.lazy.compactMap { $0.split.first { $0.task == task } }.first
      let perSeed = results.map(\.top1)
      summaries[task] = TaskSummary(
        top1: Statistics.mean(perSeed), top1Std: Statistics.standardDeviation(perSeed), perSeed: perSeed,
        expectedCalibrationError: Statistics.mean(results.map(\.expectedCalibrationError)),
        trainSamples: split?.train.count ?? 0, validationSamples: split?.validation.count ?? 0,
        testSamples: results.first?.count ?? 0)
    }
    return summaries
  }
}
