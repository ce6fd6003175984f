import Foundation

/// The built binary, run as a user would run it.
struct Program {
  /// What came back.
  struct Outcome: CustomStringConvertible {
    var code: Int32
    var isSignal: Bool
    var out: String
    var err: String

    var description: String { "\(isSignal ? "signal" : "code") \(code)\n\(out)\n\(err)" }
  }

  /// A process that may still run; its output goes to files, so that it never waits for a reader.
  struct Running {
    let process: Process
    let out: URL
    let err: URL

    /// What is on stderr so far.
    var said: String { String(decoding: (try? Data(contentsOf: err)) ?? Data(), as: UTF8.self) }

    /// Sends a signal; not to a process that has ended, whose number may be another's by now.
    func kill(_ signal: Int32) {
      if process.isRunning { Foundation.kill(process.processIdentifier, signal) }
    }

    func finish() throws -> Outcome {
      process.waitUntilExit()
      defer { for file in [out, err] { try? FileManager.default.removeItem(at: file) } }
      return Outcome(
        code: process.terminationStatus, isSignal: process.terminationReason == .uncaughtSignal,
        out: String(decoding: try Data(contentsOf: out), as: UTF8.self),
        err: String(decoding: try Data(contentsOf: err), as: UTF8.self))
    }
  }

  /// The binary beside the test bundle.
  static var url: URL {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    let places = [own] + Bundle.allBundles.map(\.bundlePath)
    let beside = places.map { URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("banyan") }
    return beside.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? beside[0]
  }

  static func start(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:], program: URL? = nil
  ) throws -> Running {
    let process = Process()
    process.executableURL = program ?? url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var variables = ProcessInfo.processInfo.environment
    variables["BANYAN_CACHE"] = folder.appendingPathComponent("cache").path
    variables["COLUMNS"] = "200"
    // A crash must be seen at once, without the minutes of a backtrace.
    variables["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = variables.merging(environment) { _, new in new }
    let files = try ["out", "err"].map { name in
      let file = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-\(UUID().uuidString).\(name)")
      try Data().write(to: file)
      return file
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    return Running(process: process, out: files[0], err: files[1])
  }

  static func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:], program: URL? = nil
  ) throws -> Outcome {
    try start(arguments, in: folder, environment: environment, program: program).finish()
  }
}
