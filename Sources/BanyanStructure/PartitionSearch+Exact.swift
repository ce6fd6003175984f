extension PartitionSearch {
  /// The best groups of `tasks` (at most 62, and 2ⁿ numbers must fit in memory), by dynamic programming over subsets.
  ///
  ///     best(S) = max over G ⊆ S with lowest(S) ∈ G of value(G) + best(S ∖ G)
  ///
  /// Only the whole set and those without its lowest task are ever asked for. A group of `g` tasks counts `g − 1` times
  /// the tolerance less, so that a merge without a gain loses.
  func exact(_ tasks: [Int]) -> [[Int]] {
    let all = (1 << tasks.count) - 1
    let scores = subsetScores(tasks)
    var best = [Double](repeating: 0, count: all + 1)
    // Without the lowest task: even masks, whose subsets come before them.
    for mask in stride(from: 2, through: all, by: 2) { best[mask] = Self.greatest(mask, scores, best) }
    var groups: [[Int]] = []
    var left = all
    while left != 0 {
      let group = Self.firstTied(left, scores, best, slack: tolerance / 4)
      groups.append(tasks.indices.filter { group >> $0 & 1 == 1 }.map { tasks[$0] })
      left ^= group
    }
    return groups
  }

  /// The score of every subset as one group.
  private func subsetScores(_ tasks: [Int]) -> [Double] {
    var scores = [Double](repeating: 0, count: 1 << tasks.count)
    for mask in scores.indices.dropFirst() {
      let rest = mask & (mask - 1)
      guard rest != 0 else { continue }
      let row = affinity.values[tasks[mask.trailingZeroBitCount]]
      var (sum, others) = (-tolerance, rest)
      while others != 0 {
        sum += row[tasks[others.trailingZeroBitCount]]
        others &= others - 1
      }
      scores[mask] = scores[rest] + sum
    }
    return scores
  }

  private static func greatest(_ mask: Int, _ scores: [Double], _ best: [Double]) -> Double {
    let rest = mask & (mask - 1)
    let lowest = mask ^ rest
    var (greatest, others) = (-Double.infinity, rest)
    while true {
      greatest = max(greatest, scores[lowest | others] + best[rest ^ others])
      if others == 0 { return greatest }
      others = (others - 1) & rest
    }
  }

  /// Of the groups of the lowest task of `mask` that lead to the best score, the one that has the lowest tasks.
  private static func firstTied(_ mask: Int, _ scores: [Double], _ best: [Double], slack: Double) -> Int {
    let rest = mask & (mask - 1)
    let lowest = mask ^ rest
    let threshold = greatest(mask, scores, best) - slack
    var (first, others) = (lowest, rest)
    var isFound = false
    while true {
      if scores[lowest | others] + best[rest ^ others] >= threshold {
        let group = lowest | others
        let difference = group ^ first
        if !isFound || group & difference & -difference != 0 { first = group }
        isFound = true
      }
      if others == 0 { return first }
      others = (others - 1) & rest
    }
  }
}
