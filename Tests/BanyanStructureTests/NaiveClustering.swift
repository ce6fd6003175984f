import BanyanFoundation
import BanyanStructure

/// Clustering straight from the definition, on sets of tasks, to compare with.
struct NaiveClustering {
  /// The members of each join in the order of joining, with its affinity.
  static func joins(_ matrix: AffinityMatrix, _ linkage: Linkage) -> [(members: Set<Int>, affinity: Double)] {
    var groups = matrix.names.indices.map { Set([$0]) }
    var joins: [(Set<Int>, Double)] = []
    while groups.count > 1 {
      var best: (Int, Int, Double)?
      for i in groups.indices {
        for j in groups.indices where i < j {
          let pairs = groups[i].flatMap { a in groups[j].map { b in matrix[a, b] } }
          let value: Double
          switch linkage {
          case .average: value = pairs.sorted().reduce(0, +) / Double(pairs.count)
          case .single: value = pairs.max() ?? 0
          case .complete: value = pairs.min() ?? 0
          }
          if value > (best?.2 ?? -.infinity) { best = (i, j, value) }
        }
      }
      guard let (i, j, value) = best else { break }
      let union = groups[i].union(groups[j])
      joins.append((union, value))
      groups = groups.enumerated().filter { $0.offset != i && $0.offset != j }.map(\.element) + [union]
    }
    return joins
  }

  /// A matrix of uniform affinities in −1…1, without ties.
  static func matrix(tasks: Int, seed: UInt64) throws -> AffinityMatrix {
    var generator = SeededGenerator(seed: seed, label: "affinity")
    var values = [[Double]](repeating: [Double](repeating: 1, count: tasks), count: tasks)
    for i in 0..<tasks {
      for j in 0..<i {
        values[i][j] = 2 * generator.uniform() - 1
        values[j][i] = values[i][j]
      }
    }
    return try AffinityMatrix(names: (0..<tasks).map { "task \($0)" }, values: values)
  }
}
