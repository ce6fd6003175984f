import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation
import Synchronization

/// Draws a run's events on stderr: one live line on a terminal, plain lines elsewhere, nothing when quiet.
final class ProgressReporter: Sendable {
  private struct State {
    var phase = ""
    var sincePhase = ElapsedTime()
    // Steps that an earlier process took: they do not count in the rate.
    var stepsBefore: Int?
    /// `nil` where the next line is due.
    var sinceDraw: ElapsedTime?
    var lineIsOpen = false

    func isDue(after seconds: Double) -> Bool { sinceDraw.map { $0.seconds > seconds } ?? true }
  }

  private let state = Mutex(State())
  private let isQuiet: Bool
  private let isInteractive: Bool

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isInteractive = Terminal.isInteractive
  }

  func report(_ event: ExperimentEvent) {
    guard !isQuiet else { return }
    state.withLock { draw(event, &$0) }
  }

  private func draw(_ event: ExperimentEvent, _ state: inout State) {
    switch event {
    case .phase(let name):
      close(&state)
      state.phase = name
      state.sincePhase = ElapsedTime()
      state.stepsBefore = nil
      state.sinceDraw = isInteractive ? nil : ElapsedTime()
    case .note(let text):
      close(&state)
      Terminal.note(text)
    case .seed(let seed, let index, let count):
      close(&state)
      Terminal.note("Seed \(seed) (\(index + 1) of \(count))")
    case .features(let done, let total): bar(done, total, [:], &state)
    case .counted(let done, let total): bar(done, total, [:], &state)
    case .step(_, let step, let total, let objectives, _):
      state.stepsBefore = state.stepsBefore ?? step - 1
      bar(step, total, objectives, &state)
    case .structure: break
    case .result(let seed, let tasks):
      close(&state)
      let average = tasks.values.reduce(0, +) / Double(max(1, tasks.count))
      Terminal.note("Seed \(seed): average top-1 \((average * 100).formatted(.number.precision(.fractionLength(1)))) %")
    }
  }

  /// A live line at most ten times a second, or a plain line every five seconds and at the end.
  private func bar(_ done: Int, _ total: Int, _ objectives: [String: Double], _ state: inout State) {
    // The time that all of it would have taken at the rate of this process.
    let own = max(1, done - (state.stepsBefore ?? 0))
    let elapsed = state.sincePhase.seconds * Double(done) / Double(own)
    let line = TerminalProgress(
      label: state.phase, done: done, total: total, elapsedSeconds: elapsed,
      losses: objectives.sorted { $0.key < $1.key }.map { (task: $0.key, loss: $0.value) })
    if isInteractive {
      guard done == total || state.isDue(after: 0.1) else { return }
      state.sinceDraw = ElapsedTime()
      state.lineIsOpen = true
      Terminal.redraw(line.line(width: Terminal.width - 1))
      if done == total { close(&state) }
    } else {
      guard done == total || state.isDue(after: 5) else { return }
      state.sinceDraw = ElapsedTime()
      Terminal.note(line.line(width: 120))
    }
  }

  private func close(_ state: inout State) {
    if state.lineIsOpen { Terminal.note("") }
    state.lineIsOpen = false
  }

  /// Ends a live line, before something else is written.
  func finish() { state.withLock { close(&$0) } }
}
