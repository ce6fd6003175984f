import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct TreeDrawingTests {
  func tree(_ nodes: [(name: String?, children: [Int], affinity: Double?)], shared: [Int: [String]] = [:])
    -> RecordedTree
  {
    RecordedTree(
      newick: "",
      nodes: nodes.enumerated().map { index, node in
        RecordedTree.Node(
          index: index, name: node.name, children: node.children,
          parent: nodes.firstIndex { $0.children.contains(index) }, mergeAffinity: node.affinity, shared: shared[index])
      })
  }

  func leaves(_ names: [String]) -> [(name: String?, children: [Int], affinity: Double?)] {
    names.map { ($0, [], nil) }
  }

  func family(_ root: Double = 0.1) -> RecordedTree {
    tree(
      leaves(["photo", "real", "sketch", "clipart"]) + [
        (nil, [0, 1], 0.91), (nil, [2, 3], 0.75), (nil, [4, 5], root),
      ])
  }

  @Test func `A dendrogram has scaled joins and the affinity to the task above`() throws {
    #expect(
      try TreeDrawing(family()).text(width: 33) == """
        photo   ───┐
        real    ───┴──────────────┐  0.91
        sketch  ──────┐           │  0.10
        clipart ──────┴───────────┘  0.75

        """)
  }

  @Test func `Wide names keep the strokes below each other`() throws {
    let drawing = try TreeDrawing(tree(leaves(["漢字", "real"]) + [(nil, [0, 1], nil)]))
    #expect(drawing.text(width: 10) == "漢字 ────┐\nreal ────┘\n")
  }

  @Test func `Tasks that share one node hang on one stroke, a forest has none`() throws {
    let single = tree([(nil, [], nil)], shared: [0: ["a", "bb", "c"]])
    #expect(try TreeDrawing(single).text(width: 20) == "a  ─┐\nbb ─┤\nc  ─┘\n")
    #expect(try TreeDrawing(tree(leaves(["a", "bb"]))).text(width: 20) == "a  ─\nbb ─\n")
    let mixed = tree([(nil, [], nil), ("c", [], nil), (nil, [0, 1], 0.5)], shared: [0: ["a", "b"]])
    #expect(try TreeDrawing(mixed).text(width: 14) == "a ─┐\nb ─┴───┐\nc ─────┘  0.50\n")
  }

  @Test func `A chain of fifty tasks is drawn whole, each join right of the one before`() throws {
    var nodes = leaves((0..<50).map { "t\($0)" })
    for join in 0..<49 { nodes.append((nil, join == 0 ? [0, 1] : [join + 1, 49 + join], 1 - Double(join) / 50)) }
    let drawing = try TreeDrawing(tree(nodes))
    #expect(drawing.order == (0..<50).map { "t\($0)" })
    let lines = drawing.text(width: 100).split(separator: "\n").map(Array.init)
    #expect(lines.count == 50 && lines.allSatisfy { $0.count <= 100 })
    // Every join of a chain lies on its own line: ┴ at growing columns, ┘ for the root.
    let columns = lines.dropFirst().compactMap { $0.firstIndex { $0 == "┴" || $0 == "┘" } }
    #expect(columns.count == 49 && zip(columns, columns.dropFirst()).allSatisfy { $0 < $1 })
    // The strokes are connected: under every ┐ or │ stands │, ┴ or ┘.
    for (upper, lower) in zip(lines, lines.dropFirst()) {
      for column in upper.indices where upper[column] == "┐" || upper[column] == "│" {
        #expect(column < lower.count && "│┴┘┤".contains(lower[column]))
      }
    }
  }

  @Test func `Damaged nodes are refused or drawn, never a crash`() throws {
    let damaged: [RecordedTree] = [
      tree([]), tree([("a", [0], nil)]), tree([("a", [1], nil), ("b", [], nil)]),
      tree([("a", [], nil), ("b", [-1], nil)]),
      tree([("a", [], nil), (nil, [0, 0], nil)]), tree([("a", [], nil), (nil, [0], nil), (nil, [0], nil)]),
      tree([(nil, [], nil)], shared: [0: []]), tree([("a", [], nil), ("b", [9], nil)]),
    ]
    for tree in damaged { #expect(throws: BanyanError.self) { try TreeDrawing(tree) } }
    for value in [1e308, -1e308, 0, 1, -1, .leastNonzeroMagnitude] {
      #expect(!(try TreeDrawing(family(value)).text(width: 40)).isEmpty)
    }
    for width in [-5, 0, 1, 12] { #expect(!(try TreeDrawing(family()).text(width: width)).isEmpty) }
  }

  @Test func `Affinities are averaged over seeds and ordered by the tree`() throws {
    let names = ["a", "b", "c"]
    let first = RecordedAffinity(
      names: names, values: [[1, 0.2, 0.8], [0.2, 1, -0.4], [0.8, -0.4, 1]], kind: "cosine")
    let second = RecordedAffinity(
      names: names, values: [[1, 0.4, 0.6], [0.4, 1, -0.2], [0.6, -0.2, 1]], kind: "cosine")
    #expect(
      try AffinityDrawing([first, second], order: ["a", "c"]).text(width: 60) == """
        affinity (cosine, mean of 2 seeds)
                1      2      3
        1 a  1.00   0.70   0.30
        2 c  0.70   1.00  -0.30
        3 b  0.30  -0.30   1.00

        """)
    let other = RecordedAffinity(names: ["a"], values: [[1]], kind: "cosine")
    #expect(throws: BanyanError.self) { try AffinityDrawing([first, other]) }
    #expect(throws: BanyanError.self) {
      try AffinityDrawing([RecordedAffinity(names: names, values: [[1]], kind: "dot")])
    }
    #expect(throws: BanyanError.self) { try AffinityDrawing([]) }
  }

  @Test func `A run's structure names the seeds of each tree`() throws {
    var record = SampleRecords.coop
    #expect(try record.structureText(width: 60) == nil)
    record.runs[0].tree = family()
    record.runs[1].tree = family()
    #expect(try record.structureText(width: 60)?.hasPrefix("tree of seeds 1, 2\nphoto") == true)
    record.runs[1].tree = family(0.2)
    record.runs[1].affinity = RecordedAffinity(names: ["sketch", "photo"], values: [[1, 0], [0, 1]], kind: "dot")
    let text = try #require(try record.structureText(width: 60))
    #expect(text.contains("tree of seed 1\n") && text.contains("tree of seed 2\n") && text.contains("affinity (dot)"))
    #expect(text.contains("1 photo ") && text.contains("2 sketch "))
  }

  @Test func `groups that are not proven the best say so`() throws {
    var record = SampleRecords.coop
    for place in record.runs.indices { record.runs[place].groups = [["photo"], ["sketch"]] }
    #expect(try record.structureText(width: 60) == "groups of seeds 1, 2\n  photo\n  sketch\n")
    record.runs[0].groupsGap = 0.25
    let text = try #require(try record.structureText(width: 60))
    #expect(text.contains("seeds 1, 2, not proven the best: others could gain at most 0.25\n"))
  }
}
