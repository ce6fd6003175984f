import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows a run that is at work: losses by task, accuracy of finished seeds, the tree, rate and memory.",
    discussion: """
      Reads what the run keeps in its folder, and ends when the run does. Ctrl-C ends the watching, not the run.

        banyan train --model clip --tasks pictures --output runs/hipro &
        banyan watch runs/hipro
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var folder: String

  @Option(help: ArgumentHelp("Seconds between two looks.", valueName: "seconds"))
  var interval = 0.5

  @Flag(help: "Show the state once and end.")
  var once = false

  @Option(help: ArgumentHelp("text or json; json shows the state once.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if !(0.05...3600).contains(interval) { throw ValidationError("--interval must be 0.05 to 3600 seconds.") }
  }

  func run() throws {
    let url = URL(fileURLWithPath: folder)
    let run = RunFolder(url)
    var shown = false
    var last = ""
    // A run that was just started has not said anything yet.
    let waiting = ElapsedTime()
    let patience = once ? 0 : Self.patience
    while true {
      guard let status = try Self.status(url) else {
        if run.isInUse || (!shown && !run.holdsRun && waiting.seconds < patience) {
          if once || format == .json { break }
          Thread.sleep(forTimeInterval: min(interval, 0.2))
          continue
        }
        break
      }
      if format == .json {
        Terminal.result(try JSONDocument.data(status, subject: "status"))
        return
      }
      let isAlive = run.isInUse
      let text = status.screen(width: Terminal.width, now: Date().timeIntervalSince1970, isAlive: isAlive)
      if Terminal.isInteractive, !once {
        Terminal.screen(text, isFirst: !shown)
      } else if text != last {
        Terminal.result(text)
      }
      (shown, last) = (true, text)
      if once { return }
      // A status that is left behind by a dead process.
      if !isAlive { break }
      Thread.sleep(forTimeInterval: Terminal.isInteractive ? interval : max(5, interval))
    }
    try finish(run, wasThere: shown)
  }

  /// Seconds that a folder without a run is waited for.
  private static let patience = 5.0

  /// The status; `nil` where there is none, or it went while it was looked for.
  private static func status(_ url: URL) throws -> LiveStatus? {
    do {
      return try LiveStatus.read(url)
    } catch let error as BanyanError where error.kind == .missingInput {
      return nil
    }
  }

  /// The run is not at work: it has ended, or there is none.
  private func finish(_ run: RunFolder, wasThere: Bool) throws {
    guard run.holdsRecord else {
      guard run.holdsRun else {
        throw BanyanError(
          .missingInput, at: folder, run.isInUse ? "the run there has only just begun" : "no run is at work here",
          remedy: "Name the folder that a `banyan train` was given with --output.")
      }
      throw BanyanError(
        .missingInput, at: folder, "no run is at work here; the one there has stopped before its end",
        remedy: "Go on with: banyan train --resume --output \(ShellWord.quoted(folder))")
    }
    let record = try NamedRecord.read(run.url)
    switch format {
    case .json: Terminal.result(try ComparisonTable([record]).json())
    case .text:
      if wasThere { Terminal.note("") }
      Terminal.note("The run is finished.")
      Terminal.result(ComparisonTable([record]).text(width: Terminal.width))
    }
  }
}
