import BanyanFoundation
import BanyanStructure
import Testing

@Suite struct CopheneticTests {
  @Test func `The matrix holds the affinity at which tasks meet`() throws {
    let tree = try TaskTree(newick: "(((a,b)0.9,c)0.5,(d,e)0.7)0.1;")
    #expect(
      tree.copheneticMatrix == [
        [1, 0.9, 0.5, 0.1, 0.1], [0.9, 1, 0.5, 0.1, 0.1], [0.5, 0.5, 1, 0.1, 0.1], [0.1, 0.1, 0.1, 1, 0.7],
        [0.1, 0.1, 0.1, 0.7, 1],
      ])
  }

  @Test func `Without affinities the levels of the shape stand in`() throws {
    let tree = try TaskTree(newick: "((a,b),c);")
    // Levels: (a,b) 1, root 2, top + 1 = 3.
    let near = 1 - 1.0 / 3
    let far = 1 - 2.0 / 3
    #expect(tree.copheneticMatrix == [[1, near, far], [near, 1, far], [far, far, 1]])
    #expect(try TaskTree.flat(["a", "b"]).copheneticMatrix == [[1, 0], [0, 1]])
  }

  @Test func `The correlation agrees with a value computed by hand`() throws {
    // Pairs ab, ac, ad, bc, bd, cd: x = (.8, .2, .2, .2, .2, .6), y = (.9, .5, .1, .5, .1, .1), by names.
    let x = try TaskTree(newick: "((a,b)0.8,(c,d)0.6)0.2;")
    let y = try TaskTree(newick: "(d,(c,(a,b)0.9)0.5)0.1;")
    // Means 11/30 each: Σxy = .72+.1+.02+.1+.02+.06 = 1.02, n x̄ȳ = 6 · (2.2/6)² = .80667, Sxy = .21333;
    // Sxx = 1.16 − .80667 = .35333, Syy = 1.34 − .80667 = .53333.
    let expected = 0.2133333333333333 / (0.3533333333333333 * 0.5333333333333333).squareRoot()
    let found = try #require(try x.copheneticCorrelation(with: y))
    #expect(abs(found - expected) < 1e-12)
    #expect(abs((try y.copheneticCorrelation(with: x) ?? 0) - found) < 1e-15)
  }

  @Test func `A tree agrees with itself wholly and with an ultrametric matrix it came from`() throws {
    let tree = try TaskTree(clustering: NaiveClustering.matrix(tasks: 9, seed: 4))
    #expect(abs((try tree.copheneticCorrelation(with: tree) ?? 0) - 1) < 1e-12)
    let matrix = try AffinityMatrix(names: tree.names, values: tree.copheneticMatrix)
    #expect(abs((try TaskTree(clustering: matrix).copheneticCorrelation(with: matrix) ?? 0) - 1) < 1e-12)
  }

  @Test func `A tree that treats all pairs alike has no correlation, other tasks are refused`() throws {
    let names = ["a", "b", "c", "d"]
    let tree = try TaskTree.random(names, seed: 1)
    #expect(try tree.copheneticCorrelation(with: TaskTree.flat(names)) == nil)
    #expect(try TaskTree.single(names).copheneticCorrelation(with: tree) == nil)
    #expect(try TaskTree.random(["a", "b"], seed: 0).copheneticCorrelation(with: .random(["a", "b"], seed: 0)) == nil)
    #expect(try TaskTree.single(["a"]).copheneticCorrelation(with: TaskTree.single(["a"])) == nil)
    #expect(throws: BanyanError.self) { try tree.copheneticCorrelation(with: TaskTree.flat(["a", "b", "c", "x"])) }
  }
}
