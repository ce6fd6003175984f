extension PartitionSearch {
  /// The groups that were found, with the evidence of how good they are.
  public struct Result: Sendable, Equatable {
    /// The groups.
    public let groups: TaskGroups
    /// The affinity within them, `Σ_G Σ_{i<j, i,j ∈ G} A_ij`.
    public let value: Double
    /// What no partition exceeds; equal to ``value`` where the search was exact.
    public let upperBound: Double
    /// Whether the value is proven to be the greatest (to 1e-12 of the largest affinity for each task).
    public let isExact: Bool

    /// How much another partition could gain at most; 0 where the search was exact.
    public var gap: Double { upperBound - value }
  }
}
