import BanyanFoundation
import BanyanReports
import Foundation
import Synchronization

/// Keeps a run's ``LiveStatus`` in its folder, at most twice a second.
///
/// It listens as an ``ExperimentObserver`` does and hands everything on. A status that cannot be written is no reason to stop a
/// run.
final class LiveStatusWriter: Sendable {
  private struct State {
    var status: LiveStatus
    var sinceWritten: ElapsedTime?
    /// A run that has not begun leaves nothing in its folder.
    var isWritten = false
  }

  private let file: URL
  private let inner: ExperimentObserver
  private let state: Mutex<State>

  init(_ folder: RunFolder, inner: ExperimentObserver) {
    file = folder.url.appendingPathComponent(LiveStatus.fileName)
    self.inner = inner
    state = Mutex(
      State(
        status: LiveStatus(
          method: "", process: ProcessInfo.processInfo.processIdentifier, began: Date().timeIntervalSince1970)))
  }

  /// The observer to run with.
  var observer: ExperimentObserver {
    ExperimentObserver(
      report: { event in
        self.take(event)
        self.inner.report(event)
      }, shouldStop: inner.shouldStop)
  }

  /// Writes from now on.
  func begin(method: String) {
    state.withLock {
      $0.status.method = method
      $0.isWritten = true
    }
  }

  /// Removes the status: the run is finished, or has stopped.
  func end() {
    state.withLock {
      $0.isWritten = false
      try? FileManager.default.removeItem(at: file)
    }
  }

  private func take(_ event: ExperimentEvent) {
    let now = Date().timeIntervalSince1970
    state.withLock { state in
      let isNews = Self.apply(event, to: &state.status, now: now)
      guard state.isWritten, isNews || state.sinceWritten.map({ $0.seconds > 0.5 }) ?? true else { return }
      state.status.updated = now
      state.status.peakMemoryBytes = Stopwatch.peakMemory
      state.sinceWritten = ElapsedTime()
      guard let data = try? JSONDocument.data(state.status, subject: LiveStatus.fileName) else { return }
      try? AtomicFile.write(data, to: file, flushing: false)
    }
  }

  /// Whether the event is more than one of many.
  private static func apply(_ event: ExperimentEvent, to status: inout LiveStatus, now: Double) -> Bool {
    switch event {
    case .phase(let name):
      (status.phase, status.phaseBegan, status.done, status.total) = (name, now, 0, 0)
      return true
    case .note: return false
    case .seed(let seed, let index, let count):
      (status.seed, status.seedNumber, status.seedCount) = (seed, index + 1, count)
      status.clearLosses()
      return true
    case .features(let done, let total), .counted(let done, let total):
      (status.done, status.total) = (done, total)
      return done == total
    case .step(_, let step, let total, let objectives, let rate):
      (status.done, status.total, status.rate) = (step, total, rate)
      status.add(.init(step: step, tasks: objectives))
      return step == total
    case .structure(let tree, let groups):
      (status.tree, status.groups) = (tree, groups)
      return true
    case .result(let seed, let tasks):
      status.results.append(.init(seed: seed, tasks: tasks))
      return true
    }
  }
}
