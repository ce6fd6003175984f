import BanyanFoundation

extension TaskTree {
  /// How early each pair of tasks meets in the tree, `[tasks, tasks]`, 1 on the diagonal; larger means more alike.
  ///
  /// Where the tree has one root and every join has an affinity, it is the affinity of the join at which the two tasks
  /// meet. Otherwise it is `1 − level / (top + 1)` from the shape alone, where a childless node has level 0, an inner
  /// node one more than its highest child, and tasks that never meet the level `top + 1`.
  public var copheneticMatrix: [[Double]] {
    let inner = nodes.filter { !$0.children.isEmpty }
    let byAffinity = root != nil && !inner.isEmpty && inner.allSatisfy { $0.mergeAffinity != nil }
    var levels = [Int](repeating: 0, count: nodes.count)
    for node in inner { levels[node.index] = 1 + (node.children.map { levels[$0] }.max() ?? 0) }
    let top = Double((levels.max() ?? 0) + 1)
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: taskCount), count: taskCount)
    // Children stand before parents: from the top down, a lower node overwrites what its ancestors wrote.
    for node in nodes.reversed() where node.isShared {
      let value = byAffinity ? node.mergeAffinity ?? 0 : 1 - Double(levels[node.index]) / top
      for i in node.tasks {
        for j in node.tasks { matrix[i][j] = value }
      }
    }
    for task in names.indices { matrix[task][task] = 1 }
    return matrix
  }

  /// The Pearson correlation, over all pairs of tasks, of where they meet in this tree and in `other`.
  ///
  /// Tasks are matched by name.
  ///
  /// - Returns: A value in −1…1, or `nil` where either tree treats all pairs alike (fewer than three tasks, or a flat,
  ///   single or star-shaped tree).
  /// - Throws: A `BanyanError` of kind `usage` where the trees are over different tasks.
  public func copheneticCorrelation(with other: TaskTree) throws -> Double? {
    try correlation(of: copheneticMatrix, with: other.copheneticMatrix, named: other.names)
  }

  /// The classical cophenetic correlation: how faithfully the tree keeps the affinities it was made from.
  ///
  /// - Returns: A value in −1…1, or `nil` where the tree or the matrix treats all pairs alike.
  /// - Throws: A `BanyanError` of kind `usage` where the matrix is over different tasks.
  public func copheneticCorrelation(with affinity: AffinityMatrix) throws -> Double? {
    try correlation(of: copheneticMatrix, with: affinity.values, named: affinity.names)
  }

  private func correlation(of mine: [[Double]], with theirs: [[Double]], named names: [String]) throws -> Double? {
    let place = try TaskTree.positions(of: self.names, in: names)
    var x: [Double] = []
    var y: [Double] = []
    for i in self.names.indices {
      for j in 0..<i {
        x.append(mine[i][j])
        y.append(theirs[place[i]][place[j]])
      }
    }
    return TaskTree.pearson(x, y)
  }

  /// `Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²)`; `nil` where either is constant up to rounding.
  private static func pearson(_ x: [Double], _ y: [Double]) -> Double? {
    guard let a = standardised(x), let b = standardised(y) else { return nil }
    let dot = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    return min(1, max(-1, dot))
  }

  /// `x` moved to mean 0 and scaled to norm 1; scaled by its largest member first, so that nothing overflows.
  private static func standardised(_ x: [Double]) -> [Double]? {
    let largest = x.reduce(0) { max($0, abs($1)) }
    guard x.count > 1, largest > 0 else { return nil }
    let scaled = x.map { $0 / largest }
    let mean = scaled.reduce(0, +) / Double(scaled.count)
    let centred = scaled.map { $0 - mean }
    let norm = centred.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 1e-12 * Double(x.count).squareRoot() else { return nil }
    return centred.map { $0 / norm }
  }
}
