import BanyanFoundation

/// What one run trains, validates and tests on, of one task.
///
/// Unlike ``Split``, which is what the data says, it is drawn by a ``SamplingPlan``. Kept in a run's record it repeats
/// the run on the same files.
public struct TaskSplit: Codable, Sendable, Equatable {
  /// The task's name.
  public var task: String
  /// Class by class, each in the order of its draw: the first k of a class are its k-shot draw.
  public var train: [Sample]
  /// Class by class, each in the order of its draw.
  public var validation: [Sample]
  /// In the suite's order.
  public var test: [Sample]

  /// Creates a split.
  public init(task: String, train: [Sample], validation: [Sample], test: [Sample]) {
    self.task = task
    self.train = train
    self.validation = validation
    self.test = test
  }

  /// Checks that no content is on two sides or under two labels.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names both files.
  public func checkDisjoint() throws {
    var known: [String: (side: Split, sample: Sample)] = [:]
    known.reserveCapacity(train.count + validation.count + test.count)
    for (side, samples) in [(Split.train, train), (.validation, validation), (.test, test)] {
      for sample in samples {
        guard let other = known.updateValue((side, sample), forKey: sample.sha256) else { continue }
        guard other.side == side else {
          throw BanyanError(
            .malformed, at: "task \(task)",
            "\(other.sample.path) (\(other.side.rawValue)) and \(sample.path) (\(side.rawValue)) have the same content",
            remedy: "Take one out, or load with duplicates dropped.")
        }
        guard other.sample.label == sample.label else {
          throw BanyanError(
            .malformed, at: "task \(task)",
            "\(other.sample.path) (label \(other.sample.label)) and \(sample.path) (label \(sample.label)) have "
              + "the same content under two labels",
            remedy: "Take one out, or load with duplicates dropped.")
        }
      }
    }
  }
}
