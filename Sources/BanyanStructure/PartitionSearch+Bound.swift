extension PartitionSearch {
  /// What no partition of `tasks` exceeds: the sum of the positive pairs, less what conflicts must cost.
  ///
  /// Where `i` is for `j` and for `k` but these two are against each other, every partition parts a positive pair or
  /// joins the negative one. Such triangles are packed: each takes the same amount from what is left of its three pairs,
  /// and these amounts are lost to every partition. The worst negative pairs are served first, and for each the triangles
  /// with most left. `O(n³ log n)` steps.
  func upperBound(_ tasks: [Int]) -> Double {
    var left = tasks.map { i in tasks.map { j in abs(affinity[i, j]) } }
    var bound = 0.0
    var negative: [(Int, Int)] = []
    for j in tasks.indices {
      for i in 0..<j {
        let value = affinity[tasks[i], tasks[j]]
        if value > 0 { bound += value } else if value < 0 { negative.append((i, j)) }
      }
    }
    for (j, k) in negative.sorted(by: { left[$0.0][$0.1] > left[$1.0][$1.1] }) {
      let friends = tasks.indices
        .filter { affinity[tasks[$0], tasks[j]] > 0 && affinity[tasks[$0], tasks[k]] > 0 && $0 != j && $0 != k }
        .map { (task: $0, amount: min(left[$0][j], left[$0][k])) }
        .sorted { ($0.amount, $1.task) > ($1.amount, $0.task) }
      for (i, most) in friends where left[j][k] > 0 && most > 0 {
        let amount = min(most, left[j][k])
        bound -= amount
        for (a, b) in [(i, j), (i, k), (j, k)] {
          left[a][b] -= amount
          left[b][a] -= amount
        }
      }
    }
    return bound
  }
}
