import BanyanFoundation

extension TaskGroups {
  /// All tasks in one group: everything shared.
  ///
  /// - Throws: A `BanyanError` where a name is missing or occurs twice.
  public static func allInOne(_ names: [String]) throws -> TaskGroups {
    try TaskNames.check(names)
    return TaskGroups(unchecked: names, groups: [Array(names.indices)])
  }

  /// Every task in a group of its own: nothing shared.
  ///
  /// - Throws: A `BanyanError` where a name is missing or occurs twice.
  public static func none(_ names: [String]) throws -> TaskGroups {
    try TaskNames.check(names)
    return TaskGroups(unchecked: names, groups: names.indices.map { [$0] })
  }

  /// Groups drawn at random, every partition of the tasks with the same probability: the control for measured groups.
  ///
  /// The same names and seed give the same groups on every machine. Tasks fall independently into `K` urns, where
  /// `P(K = k) ∝ kᵀ / k!` for `T` tasks, and empty urns are left out; a partition into `m` groups has then the
  /// probability `Σ_{k ≥ m} 1 / (k − m)!` up to one factor for all, which is the same for every `m` (Stam, *Generation of
  /// a random partition of a finite set by an urn model*, J. Combin. Theory A 35, 1983).
  ///
  /// - Throws: A `BanyanError` where a name is missing or occurs twice.
  public static func random(_ names: [String], seed: UInt64) throws -> TaskGroups {
    try TaskNames.check(names)
    var generator = SeededGenerator(seed: seed, label: "random task groups")
    var urns = [[Int]](repeating: [], count: urnCount(tasks: names.count, generator: &generator))
    for task in names.indices { urns[generator.integer(below: urns.count)].append(task) }
    return TaskGroups(unchecked: names, groups: urns.filter { !$0.isEmpty })
  }

  /// Draws `k` with the weights `w(k) = kᵀ / k!`, relative to the largest of them so that none overflows.
  ///
  /// Only the four operations are used: `pow` may round differently elsewhere.
  private static func urnCount(tasks: Int, generator: inout SeededGenerator) -> Int {
    /// `w(k + 1) / w(k)`, which falls with `k`.
    func ratio(_ k: Int) -> Double {
      let step = Double(k + 1) / Double(k)
      return (0..<tasks).reduce(1) { product, _ in product * step } / Double(k + 1)
    }
    let negligible = 1e-20
    var mode = 1
    while ratio(mode) > 1 { mode += 1 }
    var (lowest, weights) = (mode, [1.0])
    while lowest > 1, let weight = weights.last, weight > negligible {
      lowest -= 1
      weights.append(weight / ratio(lowest))
    }
    weights.reverse()
    while let weight = weights.last, weight > negligible { weights.append(weight * ratio(lowest + weights.count - 1)) }
    var rest = generator.uniform() * weights.reduce(0, +)
    for (place, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return lowest + place }
    }
    return mode
  }
}
