/// What a run reached on average over its tasks.
///
/// Every task counts the same, whatever its number of images; the spread is that of the seeds' averages.
public struct AverageSummary: Codable, Sendable, Equatable {
  /// Top-1 accuracy, the mean over tasks and seeds, as a fraction.
  public var top1: Double
  /// The sample standard deviation over seeds of the mean over tasks; `nil` for one seed.
  public var top1Std: Double?
  /// The mean over tasks by seed, in the order of the run's seeds.
  public var perSeed: [Double]
  /// The expected calibration error, the mean over tasks and seeds, as a fraction.
  public var expectedCalibrationError: Double

  /// Creates a summary.
  public init(top1: Double, top1Std: Double?, perSeed: [Double], expectedCalibrationError: Double) {
    self.top1 = top1
    self.top1Std = top1Std
    self.perSeed = perSeed
    self.expectedCalibrationError = expectedCalibrationError
  }

  /// Averages the results of several seeds.
  public init(of runs: [SeedRun]) {
    // Sorted, so that the order of summation, and with it the last bit, does not depend on the dictionary.
    func average(_ run: SeedRun, _ value: (SeedTaskResult) -> Double) -> Double {
      Statistics.mean(run.tasks.sorted { $0.key < $1.key }.map { value($0.value) })
    }
    let perSeed = runs.map { average($0, \.top1) }
    self.init(
      top1: Statistics.mean(perSeed), top1Std: Statistics.standardDeviation(perSeed), perSeed: perSeed,
      expectedCalibrationError: Statistics.mean(runs.map { average($0, \.expectedCalibrationError) }))
  }
}
