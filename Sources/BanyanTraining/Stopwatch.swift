import BanyanFoundation
import BanyanTensor
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Wall seconds by phase and the process's peak memory.
package struct Stopwatch {
  package init() {}

  private(set) var seconds: [String: Double] = [:]
  private let sinceStart = ElapsedTime()
  private var before = 0.0

  mutating func time<Result>(_ phase: String, _ body: () throws -> Result) rethrows -> Result {
    let elapsed = ElapsedTime()
    defer { seconds[phase, default: 0] += elapsed.seconds }
    return try body()
  }

  /// Adds phases that another watch measured, in this process or in one that was stopped.
  package mutating func add(_ others: [String: Double], areOfThisProcess: Bool = true) {
    seconds.merge(others) { $0 + $1 }
    if !areOfThisProcess { before += others.values.reduce(0, +) }
  }

  /// Since the watch was made, and what stopped processes took.
  package var total: Double { before + sinceStart.seconds }

  /// The largest resident size that the process has had, in bytes; on Linux since ``resetPeakMemory()``.
  package static var peakMemory: Int {
    #if os(Linux)
      // `ru_maxrss` cannot be reset, the kernel's own mark can.
      if let mark = highWaterMark { return mark }
    #endif
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }

  /// Forgets the peak so far, where the system can: on Linux.
  ///
  /// Memory that the process still holds, such as the engine's code, counts again; what earlier work has freed is given back
  /// first, where the allocator can.
  package static func resetPeakMemory() {
    Engine.giveBackFreedMemory()
    #if os(Linux)
      guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
      try? file.write(contentsOf: Data("5\n".utf8))
      try? file.close()
    #endif
  }

  #if os(Linux)
    /// `VmHWM` of the process in bytes; `nil` where the system does not tell.
    private static var highWaterMark: Int? {
      guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
      else { return nil }
      return kibibytes * 1024
    }
  #endif
}
