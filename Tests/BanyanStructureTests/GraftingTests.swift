import BanyanFoundation
import BanyanStructure
import Testing

/// A task more on a tree that is there.
@Suite struct GraftingTests {
  private let values: [[Double]] = [
    [1, 0.9, 0.2, 0.2], [0.9, 1, 0.2, 0.2], [0.2, 0.2, 1, 0.8], [0.2, 0.2, 0.8, 1],
  ]

  /// ((a, b) at 0.9, (c, d) at 0.8) at 0.2.
  private func tree() throws -> TaskTree {
    try TaskTree(clustering: AffinityMatrix(names: ["a", "b", "c", "d"], values: values))
  }

  /// The affinities among a, b, c and d, moved along the line, and those of a new task e.
  private func affinity(_ new: [Double], scale: Double = 1, shift: Double = 0) throws -> AffinityMatrix {
    let rows = zip(values, new).map { $0.map { scale * $0 + shift } + [$1] }
    return try AffinityMatrix(names: ["a", "b", "c", "d", "e"], values: rows + [new + [1]])
  }

  @Test func theTaskHangsWhereAverageLinkageWouldHaveJoinedIt() throws {
    let tree = try tree()
    // Nearer to a than a is to b: a sibling of a.
    #expect(try tree.place(affinity([0.95, 0.3, 0, 0])).parent == 4)
    // Near to both, but less than they to each other: one more of their cluster.
    #expect(try tree.place(affinity([0.6, 0.5, 0, 0])).parent == 4)
    #expect(try tree.place(affinity([0, 0, 0.85, 0.1])).parent == 5)
    // Far from all: still below the root, which all share.
    let far = try tree.place(affinity([0.1, 0.05, 0, 0]))
    #expect(far.parent == 6 && abs(far.nodes[6] - 0.0375) < 1e-12 && abs(far.nodes[4] - 0.075) < 1e-12)
  }

  @Test func whatCountsIsTheScaleOfTheNewMeasurement() throws {
    let tree = try tree()
    // On a scale of a hundredth, 0.006 is what 0.6 was; beside the old merge values it would be nothing.
    #expect(try tree.place(affinity([0.006, 0.005, 0, 0], scale: 0.01)).parent == 4)
    #expect(try tree.place(affinity([0.001, 0.0005, 0, 0], scale: 0.01)).parent == 6)
    // All of it lower by one, as among other tasks where a mean is taken away.
    #expect(try tree.place(affinity([-0.4, -0.5, -1, -1], shift: -1)).parent == 4)
    // A tree that was not made of affinities has places too.
    let drawn = try TaskTree(newick: "((a,b),(c,d));", names: ["a", "b", "c", "d"])
    #expect(try drawn.place(affinity([0.6, 0.5, 0, 0])).parent == tree.place(affinity([0.6, 0.5, 0, 0])).parent)
    #expect(try drawn.place(affinity([0.1, 0.05, 0, 0])).parent == 6)
  }

  @Test func pathsOfAllOthersStayWhatTheyAre() throws {
    let tree = try tree()
    for parent in [4, 5, 6] {
      let (grafted, places) = try tree.grafting("e", below: parent)
      #expect(grafted.names == ["a", "b", "c", "d", "e"] && grafted.nodes.count == 8)
      for task in 0..<4 { #expect(grafted.path(to: task) == tree.path(to: task).map { places[$0] }) }
      #expect(grafted.path(to: 4).dropLast() == tree.pathDown(to: parent).map { places[$0] }[...])
      for node in tree.nodes {
        #expect(grafted.nodes[places[node.index]].mergeAffinity == node.mergeAffinity)
      }
      #expect(try TaskTree(newick: grafted.newick, names: grafted.names) == grafted)
    }
  }

  @Test func aForestTakesATaskBesideItsRoots() throws {
    let flat = try TaskTree.flat(["a", "b"])
    let near = try AffinityMatrix(names: ["a", "b", "c"], values: [[1, 0.1, 0.5], [0.1, 1, 0.1], [0.5, 0.1, 1]])
    #expect(try flat.place(near).parent == nil)
    let (grafted, places) = try flat.grafting("c", below: nil)
    #expect(grafted.path(to: 2) == [2] && places == [0, 1] && grafted.roots == [0, 1, 2])
  }

  @Test func whatHasNoPlaceIsRefused() throws {
    let tree = try tree()
    #expect(throws: BanyanError.self) {
      try tree.place(AffinityMatrix(names: ["a", "b", "c", "d"], values: self.values))
    }
    let renamed = try AffinityMatrix(names: ["b", "a", "c", "d", "e"], values: affinity([0, 0, 0, 0]).values)
    #expect(throws: BanyanError.self) { try tree.place(renamed) }
    #expect(throws: BanyanError.self) { try tree.grafting("a", below: 4) }
    #expect(throws: BanyanError.self) { try tree.grafting("e", below: 0) }
    #expect(throws: BanyanError.self) { try tree.grafting("e", below: 9) }
    #expect(throws: BanyanError.self) { try TaskTree.single(["a", "b"]).requireOwnLeaves() }
  }
}

extension TaskTree {
  /// The nodes from the root to `node`.
  fileprivate func pathDown(to node: Int) -> [Int] {
    var path = [node]
    while let parent = nodes[path[0]].parent { path.insert(parent, at: 0) }
    return path
  }
}
