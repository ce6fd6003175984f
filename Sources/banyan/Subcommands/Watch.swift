import ArgumentParser
import BanyanFoundation
import BanyanReports
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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
    var shown = false
    var last = ""
    while true {
      guard let status = try LiveStatus.read(url) else {
        try finish(url, wasThere: shown)
        return
      }
      if format == .json {
        Terminal.result(try JSONDocument.data(status, subject: "status"))
        return
      }
      let isAlive = Self.isAlive(status.process)
      let text = status.screen(width: Terminal.width, now: Date().timeIntervalSince1970, isAlive: isAlive)
      if Terminal.isInteractive, !once {
        Terminal.screen(text, isFirst: !shown)
      } else if text != last {
        Terminal.result(text)
      }
      (shown, last) = (true, text)
      if once || !isAlive { return }
      Thread.sleep(forTimeInterval: Terminal.isInteractive ? interval : max(5, interval))
    }
  }

  /// The run is not at work: it has ended, or there is none.
  private func finish(_ url: URL, wasThere: Bool) throws {
    guard FileManager.default.fileExists(atPath: url.appending(path: RunRecord.fileName).path) else {
      throw BanyanError(
        .missingInput, at: folder, wasThere ? "the run has stopped before its end" : "no run is at work here",
        remedy: wasThere ? "Go on with: banyan train --resume --output \(Terminal.quoted(folder))"
          : "Name the folder that a `banyan train` was given with --output.")
    }
    let record = try NamedRecord.read(url)
    switch format {
    case .json: Terminal.result(try ComparisonTable([record]).json())
    case .text:
      if wasThere { Terminal.note("") }
      Terminal.note("The run is finished.")
      Terminal.result(ComparisonTable([record]).text(width: Terminal.width))
    }
  }

  private static func isAlive(_ process: Int32) -> Bool {
    guard process > 0 else { return false }
    return kill(process, 0) == 0 || errno == EPERM
  }
}
