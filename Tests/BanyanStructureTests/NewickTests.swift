import BanyanFoundation
import BanyanStructure
import Testing

@Suite struct NewickTests {
  @Test func `A clustered tree is written with affinities and branch lengths`() throws {
    let values = [[1, 0.4, 0.9], [0.4, 1, 0.4], [0.9, 0.4, 1]]
    let tree = try TaskTree(clustering: AffinityMatrix(names: ["photo", "hand drawn", "real"], values: values))
    #expect(tree.newick == "('hand drawn':0.6,(photo:0.1,real:0.1)0.9:0.5)0.4;")
  }

  @Test func `Lengths are left out where they would be negative`() throws {
    let values = [[9.0, 4], [4, 9]]
    #expect(try TaskTree(clustering: AffinityMatrix(names: ["a", "b"], values: values)).newick == "(a,b)4.0;")
  }

  @Test(arguments: Linkage.allCases) func `Every clustered tree survives the round trip exactly`(_ linkage: Linkage)
    throws
  {
    for tasks in 1...12 {
      for seed in 0..<6 as Range<UInt64> {
        let tree = try TaskTree(clustering: NaiveClustering.matrix(tasks: tasks, seed: seed), linkage: linkage)
        #expect(try TaskTree(newick: tree.newick, names: tree.names) == tree)
      }
    }
  }

  @Test func `Shapes without affinities survive the round trip`() throws {
    let names = ["it's", "a b", "c_d", "é", "漢字", "(x)", "7", "\u{301}accent", "quote'"]
    for tree in [try TaskTree.random(names, seed: 5), try .flat(names), try .single(names), try .flat(["a"])] {
      #expect(try TaskTree(newick: tree.newick, names: tree.names) == tree)
    }
    #expect(try TaskTree.single(["a", "b c"]).newick == "(a,'b c')[&shared];")
    #expect(try TaskTree.flat(["a", "b"]).newick == "a;b;")
  }

  @Test func `Foreign text is read: blanks, comments, lengths instead of labels, several at once`() throws {
    let tree = try TaskTree(newick: " ( (a:0.25 , b:0.25)[a comment]:0.5,\n c:0.75, d:7.5e-1 ) ; ")
    #expect(tree.names == ["a", "b", "c", "d"])
    #expect(tree.nodes.dropFirst(4).map(\.children) == [[0, 1], [2, 3, 4]])
    #expect(tree.nodes.dropFirst(4).map(\.mergeAffinity) == [0.75, 0.25])
    let uneven = try TaskTree(newick: "((a:1,b:2):1,c:1);")
    #expect(uneven.nodes.allSatisfy { $0.mergeAffinity == nil })
    let named = try TaskTree(newick: "((a,b)pictures,c)all;", names: ["c", "b", "a"])
    #expect(named.names == ["c", "b", "a"] && named.nodes[3].tasks == [1, 2])
  }

  @Test func `Groups may share a node below others`() throws {
    let tree = try TaskTree(newick: "((a,b)[&shared],(c,d)0.5)0.2;")
    #expect(tree.nodes.map(\.tasks) == [[0, 1], [2], [3], [2, 3], [0, 1, 2, 3]])
    #expect(tree.path(to: 1) == [4, 0] && tree.path(to: 3) == [4, 3, 2])
    #expect(try TaskTree(newick: tree.newick, names: tree.names) == tree)
  }

  @Test(arguments: [
    ("", "expected a tree"), ("   ", "expected a tree"), ("(a,b)", "expected ;"), ("(a,b", "expected , or )"),
    ("(a,,b);", "expected a task's name"), ("(a);", "two members"), ("();", "expected a task's name"),
    ("(a,b));", "expected ;"), ("('a,b);", "the quoted name has no end"), ("(a,[b);", "the comment has no end"),
    ("(a:x,b);", "expected a branch length"), ("(a:inf,b);", "expected a branch length"),
    ("(a,a);", "the name a occurs twice"), ("((a,(b,c))[&shared],d);", "holds another group"),
    ("(a,(b,c);", "expected , or )"), ("(a b,c);", "expected , or )"), (";", "expected a task's name"),
  ]) func `Text that is no tree is refused with a reason`(_ text: String, _ reason: String) {
    do {
      _ = try TaskTree(newick: text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect("\(error)".contains(reason), "\(text): \(error)")
    }
  }

  @Test func `Other tasks than asked for are refused`() {
    #expect(throws: BanyanError.self) { try TaskTree(newick: "(a,b);", names: ["a", "c"]) }
    #expect(throws: BanyanError.self) { try TaskTree(newick: "(a,b);", names: ["a"]) }
    #expect(throws: BanyanError.self) { try TaskTree(newick: "(a,b);", names: ["a", "b", "b"]) }
  }

  @Test func `Deep and broken nesting ends in an error or a tree, never in a crash`() throws {
    #expect(throws: BanyanError.self) { try TaskTree(newick: String(repeating: "(", count: 200_000)) }
    #expect(throws: BanyanError.self) {
      try TaskTree(newick: (0..<5000).map { "t\($0);" }.joined())
    }
    var chain = "t0"
    for task in 1..<600 { chain = "(\(chain),t\(task))" }
    let tree = try TaskTree(newick: chain + ";")
    #expect(tree.path(to: 0).count == 600 && tree.leafOrder == Array(0..<600))
    #expect(try TaskTree(newick: tree.newick, names: tree.names) == tree)
  }
}
