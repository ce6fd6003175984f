extension PartitionSearch {
  /// The largest union of two groups that is grouped anew exactly.
  private static let regroupLimit = 8

  /// The most tasks for which the search starts again from disturbed groups.
  private static let restartLimit = 100

  /// Good groups of `tasks`: the best that local search reaches from single tasks, from all in one group and then from
  /// what it has found with two groups merged, or one or two taken apart, until none of these leads further.
  ///
  /// Every round merges the two groups that gain most while any does, moves single tasks in a chain (to another group
  /// or out into a new one), and where neither gains it solves small groups, alone and in pairs, exactly.
  func approximate(_ tasks: [Int]) -> [[Int]] {
    var best = bestReached(from: [tasks.map { [$0] }, [tasks]])
    while tasks.count <= Self.restartLimit {
      let next = bestReached(from: disturbed(best))
      guard score(next) > score(best) + tolerance else { break }
      best = next
    }
    return best
  }

  /// The best that is reached from any of `starts`; the first of several that are equally good.
  private func bestReached(from starts: [[[Int]]]) -> [[Int]] {
    let found = starts.map(improved)
    let best = found.reduce(-.infinity) { max($0, score($1)) }
    return found.first { score($0) >= best - tolerance } ?? []
  }

  /// The groups with one taken apart into single tasks, with two taken apart, or with two merged.
  private func disturbed(_ groups: [[Int]]) -> [[[Int]]] {
    var results: [[[Int]]] = []
    for p in groups.indices {
      for q in 0...p {
        let others = groups.indices.filter { $0 != p && $0 != q }.map { groups[$0] }
        let union = p == q ? groups[p] : groups[q] + groups[p]
        results.append(others + union.map { [$0] })
        if p != q { results.append(others + [union]) }
      }
    }
    return results
  }

  /// Merging, chains of moves and regrouping, round after round while the score rises.
  private func improved(_ start: [[Int]]) -> [[Int]] {
    var best = start
    while true {
      var next = movedInChain(merged(best))
      if score(next) <= score(best) + tolerance { next = regrouped(next) }
      // Each round's score is summed anew, so that rounding cannot keep the search going round.
      guard score(next) > score(best) else { return best }
      best = next
    }
  }

  /// What the exact search maximises too: the value, less the tolerance for every merge.
  private func score(_ groups: [[Int]]) -> Double {
    groups.reduce(0) { $0 + value(of: $1) - tolerance * Double($1.count - 1) }
  }

  /// Merges the two groups with the greatest sum of affinities between them until no sum is positive.
  private func merged(_ start: [[Int]]) -> [[Int]] {
    var groups = start
    var links = groups.map { a in
      groups.map { b in a.reduce(0) { sum, i in b.reduce(sum) { $0 + affinity[i, $1] } } }
    }
    while true {
      var (best, pair) = (tolerance, (0, 0))
      for p in groups.indices {
        for q in 0..<p where links[p][q] > best { (best, pair) = (links[p][q], (q, p)) }
      }
      let (p, q) = pair
      guard p < q else { return groups }
      groups[p] += groups.remove(at: q)
      let row = links.remove(at: q)
      for other in links.indices {
        links[other][p] += links[other].remove(at: q)
      }
      for other in groups.indices where other != p { links[p][other] += row[other < q ? other : other + 1] }
    }
  }

  /// The best start of a chain of moves in which every task moves once, the move that gains most (or costs least) first.
  private func movedInChain(_ start: [[Int]]) -> [[Int]] {
    var chain = MoveChain(start, affinity: affinity, tolerance: tolerance)
    return chain.run()
  }

  /// The groups after solving the small group or pair of groups that gains most by it, while any gains.
  private func regrouped(_ start: [[Int]]) -> [[Int]] {
    var groups = start
    while true {
      var best = (gain: tolerance, old: [Int](), new: [[Int]]())
      for p in groups.indices {
        for q in 0...p {
          let old = p == q ? [p] : [q, p]
          let union = old.flatMap { groups[$0] }.sorted()
          guard union.count > 1, union.count <= Self.regroupLimit else { continue }
          let new = exact(union)
          let gain = score(new) - score(old.map { groups[$0] })
          if gain > best.gain { best = (gain, old, new) }
        }
      }
      guard !best.new.isEmpty else { return groups }
      for place in best.old.reversed() { groups.remove(at: place) }
      groups += best.new
    }
  }
}
