import BanyanFoundation

/// The search for the disjoint groups of tasks with the greatest affinity within them.
///
/// ``TaskTree/init(clustering:linkage:)`` joins tasks whatever their affinity; here a pair counts for or against a group
/// by its sign, and the number of groups follows from the matrix (Xin et al., *MmAP: Multi-modal Alignment Prompt for
/// Cross-domain Multi-task Learning*, AAAI 2024, "Task Grouping"; as a problem on graphs: clique partitioning):
///
///     value = Σ_G Σ_{i<j, i,j ∈ G} A_ij
///
/// The diagonal is not read. Tasks that no chain of positive affinities connects are never grouped, so each connected
/// part is searched alone: exactly up to ``exactLimit`` tasks (see ``solve()``), beyond by merging and local search with
/// a bound on what may have been missed.
///
/// Ties: a merge must gain more than 1e-12 of the largest affinity, less is rounding, so of equally good partitions the
/// one with most groups is chosen (no affinity, no group), and of those the one whose list of each task's group, in task
/// order, is the smallest. The result is a function of the matrix alone; without ties, permuting the tasks permutes it.
///
///     let result = try PartitionSearch(affinity).solve()
///     result.groups.namedGroups           // [["photo", "art"], ["sketch"]]
public struct PartitionSearch: Sendable {
  /// The most connected tasks that are searched exactly: about 0.3 s and 4 MB at the limit, a third of it for one less.
  public static let exactLimit = 18

  /// How alike the tasks are.
  public let affinity: AffinityMatrix
  /// What a merge must gain at least.
  let tolerance: Double

  /// Prepares the search.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where affinities exceed 1e300 and their sums would overflow.
  public init(_ affinity: AffinityMatrix) throws {
    var scale = 0.0
    for i in affinity.names.indices {
      for j in 0..<i { scale = max(scale, abs(affinity[i, j])) }
    }
    guard scale <= 1e300 else {
      throw BanyanError(.malformed, at: "affinity matrix", "expected values up to 1e300 in size, found \(scale)")
    }
    self.affinity = affinity
    tolerance = Clustering.tieTolerance * scale
  }

  /// The best groups: exact by dynamic programming over subsets where the connected parts are small enough.
  ///
  /// A part of `n` tasks takes `3ⁿ⁻¹ / 2` steps, where going through all partitions would take the `n`-th Bell number.
  /// A larger part is searched by merging, moving, splitting and grouping anew until nothing gains.
  public func solve() -> Result { solve(exactUpTo: Self.exactLimit) }

  /// As ``solve()``, with another limit: 1 forces the local search.
  package func solve(exactUpTo limit: Int) -> Result {
    var groups: [[Int]] = []
    var (bound, isExact) = (0.0, true)
    for tasks in connectedParts() {
      if tasks.count <= max(limit, 1) {
        let found = exact(tasks)
        groups += found
        bound += found.reduce(0) { $0 + value(of: $1) }
      } else {
        let found = approximate(tasks)
        let reached = found.reduce(0) { $0 + value(of: $1) }
        let most = upperBound(tasks)
        groups += found
        bound += max(reached, most)
        isExact = isExact && most - reached <= tolerance * Double(tasks.count)
      }
    }
    let best = TaskGroups(unchecked: affinity.names, groups: groups)
    let total = best.groups.reduce(0) { $0 + value(of: $1) }
    return Result(groups: best, value: total, upperBound: isExact ? total : max(total, bound), isExact: isExact)
  }

  /// What is maximised, for any groups of the same tasks: `Σ_G Σ_{i<j, i,j ∈ G} A_ij`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where the groups are of other tasks or have them in another order.
  public func value(of groups: TaskGroups) throws -> Double {
    guard groups.names == affinity.names else {
      throw BanyanError(
        .usage, at: "task groups",
        "expected the tasks \(affinity.names.joined(separator: ", ")), found \(groups.names.joined(separator: ", "))",
        remedy: "Use TaskGroups.reordered for another order of the same tasks.")
    }
    return groups.groups.reduce(0) { $0 + value(of: $1) }
  }

  /// The sum of the affinities of all pairs of `tasks`.
  func value(of tasks: [Int]) -> Double {
    var sum = 0.0
    for (place, task) in tasks.enumerated() {
      for other in tasks.dropFirst(place + 1) { sum += affinity[task, other] }
    }
    return sum
  }

  /// The tasks that chains of positive affinities connect, each part ascending.
  private func connectedParts() -> [[Int]] {
    var isPlaced = [Bool](repeating: false, count: affinity.count)
    var parts: [[Int]] = []
    for start in affinity.names.indices where !isPlaced[start] {
      isPlaced[start] = true
      var (part, next) = ([start], 0)
      while next < part.count {
        for other in affinity.names.indices where !isPlaced[other] && affinity[part[next], other] > 0 {
          isPlaced[other] = true
          part.append(other)
        }
        next += 1
      }
      parts.append(part.sorted())
    }
    return parts
  }
}
