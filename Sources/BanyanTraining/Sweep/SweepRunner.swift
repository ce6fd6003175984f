public import BanyanFoundation
public import BanyanReports
public import Foundation

/// Does the runs of a plan one after the other: skips what is done, goes on with what was begun.
///
/// A run that fails does not stop the others; one that is asked to stop does.
public struct SweepRunner: Sendable {
  /// What happens to a run.
  public enum Event: Sendable {
    /// It begins, as number `index` (from 0) of the `count` that are to be done.
    case begins(SweepPlan.Run, index: Int, count: Int)
    /// It ended with an error.
    case failed(SweepPlan.Run, BanyanError)
  }

  /// What a run came to.
  public struct Outcome: Sendable {
    /// The run.
    public let run: SweepPlan.Run
    /// Its record, or why there is none.
    public let result: Result<RunRecord, BanyanError>
  }

  /// The root of the feature cache; `nil` keeps nothing.
  public var cache: URL?
  /// What the user typed, for the records.
  public var command: [String]
  /// Whether runs with other settings are replaced.
  public var overwrites: Bool
  /// Who is told how each run goes and may stop it.
  public var observer: ExperimentObserver
  /// Called between runs.
  public var report: @Sendable (Event) -> Void

  /// Creates a runner.
  public init(
    cache: URL?, command: [String] = [], overwrites: Bool = false,
    observer: ExperimentObserver = ExperimentObserver(), report: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    self.cache = cache
    self.command = command
    self.overwrites = overwrites
    self.observer = observer
    self.report = report
  }

  /// Does what is left to do.
  ///
  /// - Returns: One outcome per run, in the plan's order.
  /// - Throws: A `BanyanError`: of kind `usage`, before anything runs, where folders hold runs with other settings that
  ///   are not to be replaced; of kind `interrupted` where the observer asked to stop, with all progress saved.
  public func run(_ plan: SweepPlan) throws -> [Outcome] {
    let states = plan.runs.map { ($0, $0.state()) }
    try refuseChanged(states)
    let count = states.count { !$0.1.isDone }
    var index = 0
    return try states.map { run, state in
      if case .done(let record) = state { return Outcome(run: run, result: .success(record)) }
      defer { index += 1 }
      if observer.shouldStop() {
        throw BanyanError(.interrupted, at: run.title, "stopped before this run")
      }
      report(.begins(run, index: index, count: count))
      do {
        return Outcome(run: run, result: .success(try perform(run, state)))
      } catch let error as BanyanError where error.kind == .interrupted {
        throw BanyanError(.interrupted, at: run.title, error.message, remedy: error.remedy)
      } catch {
        let error = error as? BanyanError ?? BanyanError(.failed, at: run.title, "\(error)")
        report(.failed(run, error))
        return Outcome(run: run, result: .failure(error))
      }
    }
  }

  private func perform(_ run: SweepPlan.Run, _ state: SweepState) throws -> RunRecord {
    var experiment = run.experiment
    var existing = RunFolder.Existing.refuse
    switch state {
    case .missing, .done: break
    case .begun:
      experiment = run.continued(try run.storedExperiment())
      existing = .resume
    case .changed: existing = .overwrite
    }
    // The peak of this run and not of an earlier one.
    Stopwatch.resetPeakMemory()
    return try ExperimentRun(experiment, output: run.folder, cache: cache, command: command, observer: observer)
      .run(existing)
  }

  private func refuseChanged(_ states: [(SweepPlan.Run, SweepState)]) throws {
    guard !overwrites else { return }
    let changed = states.compactMap { run, state -> String? in
      if case .changed(let place) = state { "  \(run.folder.relativePath): \(place)" } else { nil }
    }
    guard changed.isEmpty else {
      throw BanyanError(
        .usage, at: "--output",
        (["\(changed.count) of \(states.count) folders hold a run with other settings"] + changed)
          .joined(separator: "\n"),
        remedy: "Replace these runs with --overwrite, leave them out with --only, or choose another --output.")
    }
  }
}
