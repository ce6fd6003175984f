import BanyanFoundation
import BanyanReports
import Foundation
import Synchronization

/// Draws how many of a known number of things are done; a live line on a terminal, a line every five seconds elsewhere.
///
/// Unlike ``ProgressReporter``, which follows a run through its phases, this counts one thing.
final class CountProgress: Sendable {
  private let label: String
  private let total: Int
  private let isQuiet: Bool
  private let isInteractive = Terminal.isInteractive
  private let elapsed = ElapsedTime()
  private let state = Mutex((sinceDraw: ElapsedTime(), highest: 0, lineIsOpen: false))

  init(_ label: String, total: Int, isQuiet: Bool) {
    self.label = label
    self.total = total
    self.isQuiet = isQuiet
  }

  /// Called from any thread; a count below an earlier one is passed over.
  func report(_ done: Int) {
    guard !isQuiet else { return }
    state.withLock { state in
      guard done > state.highest else { return }
      state.highest = done
      guard state.sinceDraw.seconds > (isInteractive ? 0.1 : 5) || (isInteractive && done == total) else { return }
      state.sinceDraw = ElapsedTime()
      let line = TerminalProgress(
        label: label, done: done, total: total, elapsedSeconds: elapsed.seconds)
      if isInteractive {
        Terminal.redraw(line.line(width: Terminal.width - 1))
        state.lineIsOpen = true
      } else {
        Terminal.note(line.line(width: 120))
      }
    }
  }

  /// Ends a live line, before something else is written.
  func finish() {
    state.withLock {
      if $0.lineIsOpen { Terminal.note("") }
      $0.lineIsOpen = false
    }
  }
}
