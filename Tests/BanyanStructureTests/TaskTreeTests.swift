import BanyanFoundation
import BanyanStructure
import Foundation
import Testing

@Suite struct TaskTreeTests {
  let names = ["a", "b", "c", "d", "e"]

  @Test func `The single node is every task's path and is nobody's leaf`() throws {
    let tree = try TaskTree.single(names)
    #expect(tree.nodes.count == 1 && tree.nodes[0].tasks == [0, 1, 2, 3, 4] && tree.nodes[0].name == nil)
    for task in names.indices { #expect(tree.path(to: task) == [0]) }
    #expect(!tree.isLeaf(0) && tree.nodes[0].isShared && tree.root == 0)
    #expect(try TaskTree.single(["a"]) == TaskTree.flat(["a"]))
  }

  @Test func `The flat tree has leaves and nothing above`() throws {
    let tree = try TaskTree.flat(names)
    #expect(
      tree.nodes.count == 5 && tree.nodes.allSatisfy(\.isLeaf) && tree.root == nil && tree.roots == [0, 1, 2, 3, 4])
    for task in names.indices { #expect(tree.path(to: task) == [task]) }
  }

  @Test func `A random tree is binary, whole, seeded and varied`() throws {
    var shapes: Set<String> = []
    for seed in 0..<40 as Range<UInt64> {
      let tree = try TaskTree.random(names, seed: seed)
      #expect(tree == (try TaskTree.random(names, seed: seed)))
      #expect(tree.nodes.count == 9 && tree.root == 8)
      #expect(tree.nodes.dropFirst(5).allSatisfy { $0.children.count == 2 && $0.mergeAffinity == nil })
      #expect(tree.leafOrder.sorted() == [0, 1, 2, 3, 4])
      shapes.insert(tree.newick)
    }
    #expect(shapes.count > 20)
  }

  @Test func `Names that are missing, empty or twice are refused`() {
    for names in [[], ["a", "a"], ["a", ""]] {
      #expect(throws: BanyanError.self) { try TaskTree.single(names) }
      #expect(throws: BanyanError.self) { try TaskTree.flat(names) }
      #expect(throws: BanyanError.self) { try TaskTree.random(names, seed: 0) }
    }
  }

  @Test func `Reordering by names gives the same tree over the new order`() throws {
    let tree = try TaskTree.random(names, seed: 3)
    let moved = try tree.reordered(to: ["e", "c", "a", "d", "b"])
    #expect(moved.names == ["e", "c", "a", "d", "b"])
    #expect(try moved.reordered(to: names) == tree)
    #expect(abs((try tree.copheneticCorrelation(with: moved) ?? 0) - 1) < 1e-12)
    #expect(throws: BanyanError.self) { try tree.reordered(to: ["a", "b", "c", "d", "x"]) }
    #expect(throws: BanyanError.self) { try tree.reordered(to: ["a", "b", "c", "d"]) }
    #expect(throws: BanyanError.self) { try tree.reordered(to: ["a", "b", "c", "d", "d"]) }
  }

  @Test func `JSON round trips for every shape`() throws {
    let clustered = try TaskTree(clustering: NaiveClustering.matrix(tasks: 6, seed: 2))
    for tree in [try TaskTree.single(names), try .flat(names), try .random(names, seed: 1), clustered] {
      let data = try JSONDocument.data(tree, subject: "tree")
      #expect(try JSONDocument.decode(TaskTree.self, from: data, subject: "tree") == tree)
    }
  }

  @Test func `JSON that is no tree is refused`() throws {
    let good = #"{"names":["a","b"],"nodes":[\#(leaf(0, "a")),\#(leaf(1, "b")),\#(root)]}"#
    _ = try decode(good)
    let bad: [(String, String)] = [
      (#""children":[0,1]"#, #""children":[0,2]"#), (#""children":[0,1]"#, #""children":[0,0]"#),
      (#""children":[0,1]"#, #""children":[1,0]"#), (#""children":[0,1]"#, #""children":[-1,0]"#),
      (#""children":[0,1]"#, #""children":[0]"#), (#""tasks":[0,1]"#, #""tasks":[0]"#),
      (#""tasks":[1]"#, #""tasks":[0]"#), (#""tasks":[1]"#, #""tasks":[9]"#), (#""tasks":[1]"#, #""tasks":[]"#),
      (#""index":1"#, #""index":0"#), (#""parent":2,"tasks":[1]"#, #""parent":1,"tasks":[1]"#),
      (#""name":"b""#, #""name":"a""#), (#"["a","b"]"#, #"["a","a"]"#), (#"["a","b"]"#, #"["a","b","c"]"#),
      (#"["a","b"]"#, #"["a"]"#),
    ]
    for (old, new) in bad {
      let text = good.replacingOccurrences(of: old, with: new)
      #expect(text != good)
      #expect(throws: BanyanError.self, "\(new)") { try decode(text) }
    }
  }

  private func leaf(_ index: Int, _ name: String) -> String {
    #"{"index":\#(index),"name":"\#(name)","children":[],"parent":2,"tasks":[\#(index)]}"#
  }
  private let root = #"{"index":2,"children":[0,1],"mergeAffinity":0.5,"tasks":[0,1]}"#
  private func decode(_ text: String) throws -> TaskTree {
    try JSONDocument.decode(TaskTree.self, from: Data(text.utf8), subject: "tree")
  }
}
