public import BanyanReports
import BanyanTasks

/// How long an experiment will take, as far as that can be known before it runs.
///
/// A function and no more, so that sources of knowledge can be put one behind the other with ``or(_:)``.
public struct SweepEstimator: Sendable {
  /// Wall seconds of the whole experiment; `nil` where nothing is known.
  public var seconds: @Sendable (Experiment) throws -> Double?

  /// An estimator that asks `seconds`.
  public init(_ seconds: @escaping @Sendable (Experiment) throws -> Double?) { self.seconds = seconds }

  /// Knows nothing.
  public static let unknown = SweepEstimator { _ in nil }

  /// Asks this one, and `other` where this one knows nothing.
  public func or(_ other: SweepEstimator) -> SweepEstimator {
    SweepEstimator { experiment in try self.seconds(experiment) ?? other.seconds(experiment) }
  }

  /// Knows what earlier runs of the same method on the same tasks and checkpoint took.
  ///
  /// With `t` the recorded seconds by phase, and for pictures · epochs · seeds of the new run over those of the recorded
  /// one the ratio `r`, of which `s` is the part of the seeds:
  ///
  ///     t(data) + t(features) + s · (t(affinity) + t(evaluation)) + r · t(training)
  public static func records(_ records: [RunRecord]) -> SweepEstimator {
    let known = records.compactMap { record in
      (try? Experiment(record.experiment, subject: "record")).map { ($0, record.measured.wallSeconds) }
    }
    return SweepEstimator { experiment in
      let alike = known.filter {
        $0.0.method == experiment.method && $0.0.tasks == experiment.tasks && $0.0.model == experiment.model
      }
      let estimates = alike.compactMap { earlier, seconds -> (ratio: Double, seconds: Double)? in
        guard let pictures = experiment.samples.ratio(to: earlier.samples) else { return nil }
        let seeds = Double(experiment.seeds.count) / Double(max(1, earlier.seeds.count))
        let epochs = Double(experiment.training.epochs) / Double(max(1, earlier.training.epochs))
        func phase(_ name: String) -> Double { seconds[name] ?? 0 }
        let once = phase("data") + phase("features") + seeds * (phase("affinity") + phase("evaluation"))
        return (pictures, once + pictures * epochs * seeds * phase("training"))
      }
      // The run whose amount of samples is nearest says it best.
      return estimates.min { max($0.ratio, 1 / $0.ratio) < max($1.ratio, 1 / $1.ratio) }?.seconds
    }
  }
}

extension SamplingAmount {
  /// How many times as many pictures as `other`; `nil` where that depends on the data.
  fileprivate func ratio(to other: SamplingAmount) -> Double? {
    switch (self, other) {
    case (.shots(let own), .shots(let others)): Double(own) / Double(max(1, others))
    case (.percentage(let own), .percentage(let others)) where others > 0: own / others
    default: self == other ? 1 : nil
    }
  }
}
