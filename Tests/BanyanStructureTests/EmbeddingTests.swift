import BanyanFoundation
import BanyanStructure
import Foundation
import Testing

@Suite struct EmbeddingTests {
  private struct Golden: Decodable {
    var points: [[Double]]
    var perplexity: Double
    var p: [Double]
    var y: [Double]
    var gradient: [Double]
    var exaggeratedGradient: [Double]
    var divergence: Double
    var finalDivergences: [Double]
  }

  private struct Ranks: Decodable {
    var a: [Double]
    var b: [Double]
    var ranks: [Double]
    var spearman: Double
  }

  private func golden<Value: Decodable>(_ name: String) throws -> Value {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Goldens/figures/\(name).json")
    return try JSONDecoder().decode(Value.self, from: Data(contentsOf: file))
  }

  private func squared(_ points: [[Double]]) -> [Double] {
    points.flatMap { a in points.map { b in zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } } }
  }

  private func expectClose(
    _ found: [Double], _ expected: [Double], _ tolerance: Double, at location: SourceLocation = #_sourceLocation
  ) {
    let size = expected.reduce(0) { max($0, abs($1)) }
    let worst = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(
      found.count == expected.count && worst <= tolerance * size, "off by \(worst / size)", sourceLocation: location)
  }

  @Test func `ranks and their correlation are scipy's`() throws {
    let cases: [Ranks] = try golden("ranks")
    for item in cases {
      #expect(RankCorrelation.ranks(item.a) == item.ranks)
      let found = try #require(RankCorrelation.spearman(item.a, item.b))
      #expect(abs(found - item.spearman) < 1e-12)
    }
    #expect(RankCorrelation.spearman([1, 2, 3], [10, 20, 30]) == 1)
    #expect(RankCorrelation.spearman([1, 2, 3], [5, 4, -3]) == -1)
    for (a, b) in [([1.0, 1, 1], [1.0, 2, 3]), ([1], [2]), ([1, 2], [1]), ([.nan, 1], [1, 2])] {
      #expect(RankCorrelation.spearman(a, b) == nil)
    }
  }

  @Test func `neighbourhoods and forces of t-SNE are scikit-learn's`() throws {
    let golden: Golden = try golden("embedding")
    let n = golden.points.count
    // Theirs are in single precision, and both stop within 1e-5 of the entropy.
    let p = TSNE.jointProbabilities(squared(golden.points), count: n, perplexity: golden.perplexity)
    expectClose(p, golden.p, 1e-4)
    #expect(abs(p.reduce(0, +) - 1) < 1e-12)
    let (gradient, divergence) = TSNE.gradient(golden.p, golden.y, exaggeration: 1)
    expectClose(gradient, golden.gradient, 1e-9)
    #expect(abs(divergence - golden.divergence) < 1e-9 * golden.divergence)
    expectClose(TSNE.gradient(golden.p, golden.y, exaggeration: 12).gradient, golden.exaggeratedGradient, 1e-9)
  }

  @Test func `the gradient is that of the divergence`() throws {
    let golden: Golden = try golden("embedding")
    let gradient = TSNE.gradient(golden.p, golden.y, exaggeration: 1).gradient
    for i in stride(from: 0, to: golden.y.count, by: 7) {
      var (up, down) = (golden.y, golden.y)
      up[i] += 1e-5
      down[i] -= 1e-5
      let slope =
        (TSNE.gradient(golden.p, up, exaggeration: 1).divergence
          - TSNE.gradient(golden.p, down, exaggeration: 1).divergence) / 2e-5
      #expect(abs(slope - gradient[i]) < 1e-7)
    }
  }

  @Test func `clusters stay together, as well as scikit-learn has them`() throws {
    let golden: Golden = try golden("embedding")
    var settings = TSNE()
    settings.perplexity = golden.perplexity
    let found = try settings(golden.points)
    let theirs = golden.finalDivergences.sorted()
    #expect(found.divergence <= theirs[theirs.count - 1], "\(found.divergence) against \(theirs)")
    let clusters = [0..<14, 14..<26, 26..<36]
    func distance(_ i: Int, _ j: Int) -> Double {
      let (dx, dy) = (found.places[i].x - found.places[j].x, found.places[i].y - found.places[j].y)
      return dx * dx + dy * dy
    }
    for own in clusters {
      for i in own {
        let nearest = golden.points.indices.filter { $0 != i }.min { distance(i, $0) < distance(i, $1) }
        #expect(own.contains(try #require(nearest)))
      }
    }
    #expect(try settings(golden.points) == found)
    #expect(try settings(squaredDistances: squared(golden.points), count: 36).places.count == 36)
  }

  @Test func `classical scaling gives back a plane`() {
    let plane = (0..<9).map { [Double($0 % 3) * 2, Double($0 / 3)] }
    let y = TSNE.classicalScaling(squared(plane), count: 9)
    let back = squared((0..<9).map { [y[2 * $0], y[2 * $0 + 1]] })
    expectClose(back, squared(plane), 1e-9)
  }

  @Test func `few points, equal points, points on a line, and nonsense`() throws {
    let tsne = TSNE()
    #expect(try tsne([]).places.isEmpty)
    #expect(try tsne([[1, 2]]).places.count == 1)
    #expect(try tsne([[1], [2]]).places.count == 2)
    for points in [[[Double]](repeating: [1, 1], count: 5), (0..<12).map { [Double($0), 0] }] {
      let places = try tsne(points).places
      #expect(places.allSatisfy { $0.x.isFinite && $0.y.isFinite })
      #expect(Set(places.map(\.y)).count > 1)
    }
    #expect(throws: BanyanError.self) { try tsne([[1], [1, 2]]) }
    #expect(throws: BanyanError.self) { try tsne(squaredDistances: [0, 1, 2, 0], count: 2) }
    #expect(throws: BanyanError.self) { try tsne(squaredDistances: [0, .nan, .nan, 0], count: 2) }
    #expect(throws: BanyanError.self) { try tsne(squaredDistances: [0, -1, -1, 0], count: 2) }
  }
}
