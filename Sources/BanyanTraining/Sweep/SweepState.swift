import BanyanFoundation
public import BanyanReports
import Foundation

/// How far a run of a sweep has come.
public enum SweepState: Sendable, Equatable {
  /// Not begun.
  case missing
  /// Begun and stopped; it goes on.
  case begun
  /// Finished, with its record.
  case done(RunRecord)
  /// Its folder holds a run with other settings, or a damaged one; the text says what differs.
  case changed(String)

  /// The state in a word or two.
  public var name: String {
    switch self {
    case .missing: "missing"
    case .begun: "begun: goes on"
    case .done: "done"
    case .changed: "other settings"
    }
  }

  /// Whether nothing is left to do.
  public var isDone: Bool { if case .done = self { true } else { false } }
}

extension SweepPlan.Run {
  /// What the run's folder holds.
  public func state() -> SweepState {
    let folder = RunFolder(folder)
    guard folder.holdsRun else { return .missing }
    do {
      let stored = try storedExperiment()
      if let place = try stored.resolved().firstDifference(from: continued(stored).resolved()) {
        return .changed(place)
      }
      return folder.holdsRecord ? .done(try RunRecord.read(folder.url)) : .begun
    } catch {
      return .changed("\(error)")
    }
  }

  /// The experiment as the folder's run goes on with it: with the threads that it began with, where none are set.
  func continued(_ stored: Experiment) -> Experiment {
    var experiment = experiment
    experiment.threads = experiment.threads ?? stored.threads
    return experiment
  }

  func storedExperiment() throws -> Experiment {
    let file = RunFolder(folder).experiment
    return try Experiment(JSONDocument.read(JSONValue.self, from: file), subject: file.path)
  }
}
