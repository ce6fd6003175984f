extension TaskGroups {
  /// The groups with the greatest affinity within them: ``PartitionSearch/solve()`` without its evidence.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where affinities exceed 1e300 and their sums would overflow.
  public init(partitioning affinity: AffinityMatrix) throws {
    self = try PartitionSearch(affinity).solve().groups
  }
}
