import BanyanFoundation
public import BanyanReports
import Foundation

/// What a run tells while it works; the command line draws it, the service streams it.
public enum ExperimentEvent: Sendable {
  /// A phase begins.
  case phase(String)
  /// Something that the user should know.
  case note(String)
  /// Image features: pictures done of those to compute.
  case features(done: Int, total: Int)
  /// A seed begins.
  case seed(UInt64, index: Int, count: Int)
  /// Steps that are not training's, such as those of the affinity: done of all.
  case counted(done: Int, total: Int)
  /// One step was taken.
  case step(seed: UInt64, step: Int, total: Int, objectives: [String: Double], rate: Double)
  /// The tree or the groups of tasks that the seed in work learns with.
  case structure(tree: RecordedTree?, groups: [[String]]?)
  /// A seed is finished, with the top-1 of each task.
  case result(seed: UInt64, tasks: [String: Double])
}

/// Who listens to a run and may ask it to stop.
public struct ExperimentObserver: Sendable {
  /// Called with every event, on the run's thread.
  public var report: @Sendable (ExperimentEvent) -> Void
  /// Asked between steps; `true` saves and ends the run.
  public var shouldStop: @Sendable () -> Bool

  /// Creates an observer.
  public init(
    report: @escaping @Sendable (ExperimentEvent) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.report = report
    self.shouldStop = shouldStop
  }

  /// Tells of the steps that prepare a start.
  ///
  /// - Throws: A `BanyanError` of kind `interrupted` where the run should stop; a start is prepared as a whole.
  func prepared(_ done: Int, of total: Int) throws {
    report(.counted(done: done, total: total))
    guard shouldStop() else { return }
    throw BanyanError(.interrupted, at: "preparation", "stopped at step \(done) of \(total)")
  }
}
