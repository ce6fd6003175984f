import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Wall seconds by phase and the process's peak memory.
struct Stopwatch {
  private(set) var seconds: [String: Double] = [:]
  private let start = Date()

  mutating func time<Result>(_ phase: String, _ body: () throws -> Result) rethrows -> Result {
    let begin = Date()
    defer { seconds[phase, default: 0] += Date().timeIntervalSince(begin) }
    return try body()
  }

  mutating func add(_ others: [String: Double]) { seconds.merge(others) { $0 + $1 } }

  var total: Double { Date().timeIntervalSince(start) }

  /// The largest resident size that the process has had, in bytes.
  static var peakMemory: Int {
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}
