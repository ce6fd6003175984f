import BanyanFoundation
import BanyanStructure
import Testing

/// A task more on a tree that is there.
@Suite struct GraftingTests {
  /// ((a, b) at 0.9, (c, d) at 0.8) at 0.2.
  private func tree() throws -> TaskTree {
    let values: [[Double]] = [
      [1, 0.9, 0.2, 0.2], [0.9, 1, 0.2, 0.2], [0.2, 0.2, 1, 0.8], [0.2, 0.2, 0.8, 1],
    ]
    return try TaskTree(clustering: AffinityMatrix(names: ["a", "b", "c", "d"], values: values))
  }

  @Test func theTaskHangsWhereAverageLinkageWouldHaveJoinedIt() throws {
    let tree = try tree()
    // Nearer to a than a is to b: a sibling of a.
    #expect(try tree.place([0.95, 0.3, 0, 0]).parent == 4)
    // Near to both, but less than they to each other: one more of their cluster.
    #expect(try tree.place([0.6, 0.5, 0, 0]).parent == 4)
    #expect(try tree.place([0, 0, 0.85, 0.1]).parent == 5)
    // Far from all: still below the root, which all share.
    let far = try tree.place([0.1, 0.05, 0, 0])
    #expect(far.parent == 6 && abs(far.nodes[6] - 0.0375) < 1e-12 && abs(far.nodes[4] - 0.075) < 1e-12)
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
    #expect(try flat.place([0.5, 0.1]).parent == nil)
    let (grafted, places) = try flat.grafting("c", below: nil)
    #expect(grafted.path(to: 2) == [2] && places == [0, 1] && grafted.roots == [0, 1, 2])
  }

  @Test func whatHasNoPlaceIsRefused() throws {
    let tree = try tree()
    #expect(throws: BanyanError.self) { try tree.place([1, 2]) }
    #expect(throws: BanyanError.self) { try tree.place([1, 2, 3, .nan]) }
    #expect(throws: BanyanError.self) { try tree.grafting("a", below: 4) }
    #expect(throws: BanyanError.self) { try tree.grafting("e", below: 0) }
    #expect(throws: BanyanError.self) { try tree.grafting("e", below: 9) }
    #expect(throws: BanyanError.self) { try TaskTree.single(["a", "b"]).place([1, 1]) }
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
