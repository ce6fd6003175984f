import BanyanFoundation

extension TaskTree {
  /// Clusters the tasks bottom-up: the two most alike groups are joined until one is left.
  ///
  /// Where several pairs are equally alike (to 1e-12 of the largest affinity) the lowest pair of node indices is
  /// joined, so the tree is a function of the matrix alone; without such ties, permuting the tasks permutes the tree.
  /// The diagonal is not read. One task gives one node that is leaf and root.
  ///
  /// - Parameters:
  ///   - affinity: How much every pair of tasks helps each other.
  ///   - linkage: The affinity of two groups; `average` is the mean over all pairs of members,
  ///     `A(G, H) = Σ_{i∈G, j∈H} A_ij / (|G| |H|)`.
  /// - Throws: A `BanyanError` of kind `malformed` where affinities exceed 1e300 and their sums would overflow.
  public init(clustering affinity: AffinityMatrix, linkage: Linkage = .average) throws {
    var clustering = try Clustering(affinity, linkage: linkage)
    self = clustering.run()
  }
}

/// Agglomerative clustering on affinities: `O(T³)` comparisons, `O(T²)` memory.
struct Clustering {
  /// Differences below this share of the largest affinity are rounding, not preference.
  static let tieTolerance = 1e-12

  private let names: [String]
  private let linkage: Linkage
  private let scale: Double
  private var draft = TaskTreeDraft()
  /// The groups that are left, as nodes of the draft, ascending.
  private var groups: [Int] = []
  private var sizes: [Int] = []
  /// The row per living node of its links to the others: the sum over pairs for `average`, the extreme pair otherwise.
  private var links: [[Double]]

  init(_ affinity: AffinityMatrix, linkage: Linkage) throws {
    names = affinity.names
    self.linkage = linkage
    links = affinity.values
    var scale = 0.0
    for i in names.indices {
      for j in 0..<i { scale = max(scale, abs(affinity[i, j])) }
    }
    guard scale <= 1e300 else {
      throw BanyanError(.malformed, at: "affinity matrix", "expected values up to 1e300 in size, found \(scale)")
    }
    self.scale = scale
  }

  /// The affinity of the groups at places `p` and `q`.
  private func affinity(_ p: Int, _ q: Int) -> Double {
    linkage == .average ? links[p][q] / Double(sizes[p] * sizes[q]) : links[p][q]
  }

  mutating func run() -> TaskTree {
    for task in names.indices { groups.append(draft.addLeaf(tasks: [task])) }
    sizes = [Int](repeating: 1, count: names.count)
    while groups.count > 1 {
      let (p, q, affinity) = closest()
      join(p, q, affinity: affinity)
    }
    return draft.finish(names: names)
  }

  /// The pair to join: groups stay in ascending order of node, so the first tied pair found is the lowest.
  private func closest() -> (Int, Int, Double) {
    var best = -Double.infinity
    for p in groups.indices {
      for q in groups.indices.dropFirst(p + 1) { best = max(best, affinity(p, q)) }
    }
    let threshold = best - Self.tieTolerance * scale
    for p in groups.indices {
      for q in groups.indices.dropFirst(p + 1) where affinity(p, q) >= threshold { return (p, q, affinity(p, q)) }
    }
    return (0, 1, affinity(0, 1))
  }

  private mutating func join(_ p: Int, _ q: Int, affinity: Double) {
    let merged = links[p].indices.map { other -> Double in
      let (a, b) = (links[p][other], links[q][other])
      switch linkage {
      case .average: return a + b
      case .single: return max(a, b)
      case .complete: return min(a, b)
      }
    }
    let node = draft.join([groups[p], groups[q]], affinity: affinity)
    let size = sizes[p] + sizes[q]
    for row in links.indices { links[row].append(merged[row]) }
    links.append(merged + [0])
    groups.append(node)
    sizes.append(size)
    for place in [q, p] {
      groups.remove(at: place)
      sizes.remove(at: place)
      links.remove(at: place)
      for row in links.indices { links[row].remove(at: place) }
    }
  }
}
