import BanyanFoundation
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Results to stdout, everything else to stderr.
enum Terminal {
  /// A part of the result.
  static func result(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) }

  /// A part of the result that is bytes already.
  static func result(_ data: Data) { result(String(decoding: data, as: UTF8.self)) }

  /// Something the user should know.
  static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  /// A line of a service's log; where nobody takes it any more it is lost, and the service goes on.
  static func log(_ line: String) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Why the command failed.
  static func error(_ error: BanyanError) {
    let text = error.remedy.isEmpty ? "" : "\n  \(error.remedy)"
    let subject = error.subject.isEmpty ? "" : "\(error.subject): "
    note("error: \(subject)\(error.message)\(text)")
  }

  /// Replaces the current line of a terminal.
  static func redraw(_ line: String) { write("\r\u{1B}[2K" + line, to: STDERR_FILENO) }

  /// Replaces the whole screen of a terminal; the first time it is cleared.
  static func screen(_ text: String, isFirst: Bool) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0 + "\u{1B}[K" }
    write((isFirst ? "\u{1B}[2J" : "") + "\u{1B}[H" + lines.joined(separator: "\n") + "\u{1B}[J\n", to: STDERR_FILENO)
  }

  /// Whether stderr is a person's screen.
  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb" }

  /// Columns of the screen; what `COLUMNS` says, or 100, where there is none.
  static var width: Int {
    var size = winsize()
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 {
      if size.ws_col > 0 { return Int(size.ws_col) }
    }
    return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init) ?? 100
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      // A closed pipe, as after `| head`, ends the program quietly.
      guard count > 0 else { Foundation.exit(errno == EPIPE ? 0 : 1) }
      bytes = bytes.dropFirst(count)
    }
  }
}
