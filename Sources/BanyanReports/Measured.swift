/// What a run cost on the machine it ran on; never the same twice.
public struct Measured: Codable, Sendable, Equatable {
  /// The phases that a run times, in the order of a report.
  public static let phases = ["data", "features", "affinity", "training", "evaluation", "total"]

  /// Wall time in seconds by phase; see ``phases``.
  public var wallSeconds: [String: Double]
  /// The largest resident size of the process, in bytes.
  public var peakMemoryBytes: Int

  /// Creates a measurement; by default an empty one.
  public init(wallSeconds: [String: Double] = [:], peakMemoryBytes: Int = 0) {
    self.wallSeconds = wallSeconds
    self.peakMemoryBytes = peakMemoryBytes
  }

  /// The whole time in seconds: `total` where it is given, else the sum of the phases; `nil` where nothing is.
  public var totalSeconds: Double? {
    if let total = wallSeconds["total"] { return total }
    return wallSeconds.isEmpty ? nil : wallSeconds.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value }
  }
}
