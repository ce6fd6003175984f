import BanyanFoundation
import BanyanStructure
import Testing

@Suite struct ClusteringTests {
  @Test(arguments: Linkage.allCases) func `Every join agrees with clustering from the definition`(_ linkage: Linkage)
    throws
  {
    for tasks in 1...14 {
      for seed in 0..<8 as Range<UInt64> {
        let matrix = try NaiveClustering.matrix(tasks: tasks, seed: seed)
        let tree = try TaskTree(clustering: matrix, linkage: linkage)
        let expected = NaiveClustering.joins(matrix, linkage)
        let inner = tree.nodes.dropFirst(tasks)
        try #require(inner.count == expected.count)
        for (node, join) in zip(inner, expected) {
          #expect(Set(node.tasks) == join.members)
          #expect(abs((node.mergeAffinity ?? .nan) - join.affinity) < 1e-12)
          #expect(node.tasks == node.tasks.sorted() && node.children.count == 2)
        }
      }
    }
  }

  @Test(arguments: Linkage.allCases) func `Permuting the tasks permutes the tree`(_ linkage: Linkage) throws {
    for seed in 0..<20 as Range<UInt64> {
      let matrix = try NaiveClustering.matrix(tasks: 11, seed: seed)
      var generator = SeededGenerator(seed: seed, label: "order")
      let order = generator.shuffled(Array(0..<11))
      let tree = try TaskTree(clustering: matrix, linkage: linkage)
      let moved = try TaskTree(clustering: matrix.permuted(order), linkage: linkage)
      #expect(moved == (try tree.permuted(order)))
    }
  }

  @Test(arguments: Linkage.allCases) func `Ties join the lowest indices, whatever rounding does`(_ linkage: Linkage)
    throws
  {
    // Three tenths do not add up to three times a tenth: without a tolerance the third join would look better or worse.
    let values = (0..<5).map { i in (0..<5).map { j in i == j ? 1.0 : 0.1 } }
    let tree = try TaskTree(
      clustering: AffinityMatrix(names: ["a", "b", "c", "d", "e"], values: values), linkage: linkage)
    #expect(tree.nodes.dropFirst(5).map(\.children) == [[0, 1], [2, 3], [4, 5], [6, 7]])
  }

  @Test func `Average linkage by hand`() throws {
    let names = ["photo", "real", "sketch", "clipart"]
    let values = [[1, 0.9, 0.3, 0.5], [0.9, 1, 0.1, 0.3], [0.3, 0.1, 1, 0.6], [0.5, 0.3, 0.6, 1]]
    let tree = try TaskTree(clustering: AffinityMatrix(names: names, values: values))
    #expect(tree.nodes.map(\.name) == ["photo", "real", "sketch", "clipart", nil, nil, nil])
    #expect(tree.nodes.map(\.children) == [[], [], [], [], [0, 1], [2, 3], [4, 5]])
    #expect(tree.nodes.map(\.parent) == [4, 4, 5, 5, 6, 6, nil])
    #expect(abs((tree.nodes[6].mergeAffinity ?? 0) - 0.3) < 1e-15)
    #expect(tree.path(to: 2) == [6, 5, 2] && tree.root == 6 && tree.isLeaf(2) && !tree.isLeaf(5))
    #expect(tree.leafOrder == [0, 1, 2, 3])
  }

  @Test func `One task is leaf and root, two have a root and two leaves`() throws {
    let one = try TaskTree(clustering: AffinityMatrix(names: ["a"], values: [[1]]))
    #expect(one.nodes.count == 1 && one.path(to: 0) == [0] && one.isLeaf(0) && one.root == 0)
    let two = try TaskTree(clustering: AffinityMatrix(names: ["a", "b"], values: [[1, -0.5], [-0.5, 1]]))
    #expect(two.nodes.count == 3 && two.path(to: 1) == [2, 1] && two.nodes[2].mergeAffinity == -0.5)
  }

  @Test func `Affinities whose sums would overflow are refused`() throws {
    let matrix = try AffinityMatrix(names: ["a", "b"], values: [[1, 1e305], [1e305, 1]])
    #expect(throws: BanyanError.self) { try TaskTree(clustering: matrix) }
  }

  @Test func `Two hundred tasks cluster in a blink`() throws {
    let matrix = try NaiveClustering.matrix(tasks: 200, seed: 1)
    let clock = ContinuousClock()
    var tree: TaskTree?
    let time = try clock.measure { tree = try TaskTree(clustering: matrix) }
    #expect(tree?.nodes.count == 399)
    #expect(time < .seconds(5))
  }
}
