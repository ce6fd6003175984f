import BanyanFoundation
import BanyanStructure

/// The search over groups straight from the definition, through every partition, to compare with.
struct NaivePartitions {
  /// Calls `body` with the group of each task and the value, for every partition, the smallest list of groups first.
  static func forEach(_ matrix: AffinityMatrix, _ body: ([Int], Double) -> Void) {
    var homes: [Int] = []
    func extend(groups: Int, value: Double) {
      guard homes.count < matrix.count else { return body(homes, value) }
      let row = matrix.values[homes.count]
      for group in 0...groups {
        var gain = 0.0
        for (other, home) in homes.enumerated() where home == group { gain += row[other] }
        homes.append(group)
        extend(groups: max(groups, group + 1), value: value + gain)
        homes.removeLast()
      }
    }
    extend(groups: 0, value: 0)
  }

  /// The partition of the greatest value; of equals the one with most groups, then the smallest list of groups.
  static func best(_ matrix: AffinityMatrix) -> (groups: [[Int]], value: Double) {
    var best: (homes: [Int], groups: Int, value: Double) = ([], 0, -.infinity)
    forEach(matrix) { homes, value in
      let groups = (homes.max() ?? 0) + 1
      if value > best.value + 1e-9 || (value > best.value - 1e-9 && groups > best.groups) {
        best = (homes, groups, value)
      }
    }
    let groups = (0..<best.groups).map { group in best.homes.indices.filter { best.homes[$0] == group } }
    return (groups, best.value)
  }

  /// A matrix of affinities drawn by `draw` for every pair.
  static func matrix(
    tasks: Int, seed: UInt64, _ draw: (inout SeededGenerator, Int, Int) -> Double
  ) throws -> AffinityMatrix {
    var generator = SeededGenerator(seed: seed, label: "affinity of partitions")
    var values = [[Double]](repeating: [Double](repeating: 1, count: tasks), count: tasks)
    for i in 0..<tasks {
      for j in 0..<i {
        values[i][j] = draw(&generator, i, j)
        values[j][i] = values[i][j]
      }
    }
    return try AffinityMatrix(names: (0..<tasks).map { "task \($0)" }, values: values)
  }

  /// Uniform affinities without ties, in an interval of length 2 around `middle`.
  static func matrix(tasks: Int, seed: UInt64, middle: Double = 0) throws -> AffinityMatrix {
    try matrix(tasks: tasks, seed: seed) { generator, _, _ in 2 * generator.uniform() - 1 + middle }
  }
}
