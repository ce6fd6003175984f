import BanyanFoundation
import BanyanStructure
import Foundation
import Testing

@Suite struct TaskEmbeddingTests {
  private func embedding(
    _ task: String, _ fisher: [Double], prior: Double = 0.01, probe: String = "probe"
  ) throws -> TaskEmbedding {
    try TaskEmbedding(
      task: task, probe: probe, estimator: "monte-carlo", samples: 10,
      layers: [.init(name: "layer", filters: fisher.count, prior: prior)], fisher: fisher)
  }

  private func random(_ seed: UInt64, _ count: Int) -> [Double] {
    var generator = SeededGenerator(seed: seed, label: "embedding")
    return (0..<count).map { _ in generator.uniform() * 5 }
  }

  @Test func `the symmetric distance is the cosine distance of the two shares`() throws {
    let (a, b) = (random(1, 40), random(2, 40))
    let u = zip(a, b).map { $0 / ($0 + $1) }
    let v = zip(a, b).map { $1 / ($0 + $1) }
    let product = zip(u, v).reduce(0) { $0 + $1.0 * $1.1 }
    let lengths = (u.reduce(0) { $0 + $1 * $1 } * v.reduce(0) { $0 + $1 * $1 }).squareRoot()
    #expect(abs(EmbeddingDistance.symmetric(a, b) - (1 - product / lengths)) < 1e-14)
  }

  @Test func `equal tasks are at zero, one factor changes nothing, and a filter that both leave alone neither`() throws
  {
    let (a, b) = (random(3, 30), random(4, 30))
    #expect(EmbeddingDistance.symmetric(a, a) < 1e-15)
    // A task that asks twice as much of every filter is the same task, only more of it.
    #expect(EmbeddingDistance.symmetric(a, a.map { 2 * $0 }) < 1e-15)
    let distance = EmbeddingDistance.symmetric(a, b)
    #expect(distance > 0 && distance < 1)
    #expect(abs(EmbeddingDistance.symmetric(b, a) - distance) < 1e-15)
    #expect(abs(EmbeddingDistance.symmetric(a.map { 7 * $0 }, b.map { 7 * $0 }) - distance) < 1e-12)
    #expect(EmbeddingDistance.symmetric(a + [0], b + [0]) == distance)
    // Filters of which one alone is asked, and tasks of which one asks nothing.
    #expect(EmbeddingDistance.symmetric([1, 0], [0, 1]) == 1)
    #expect(EmbeddingDistance.symmetric([1, 2], [0, 0]) == 1)
    // Both ways the same, however different the sizes.
    let (near, tiny) = ([1.0, 2, 3], [2e-20, 1e-20, 5e-21])
    let apart = EmbeddingDistance.symmetric(near, tiny)
    #expect(apart > 0.05 && abs(EmbeddingDistance.symmetric(tiny, near) - apart) < 1e-12)
  }

  @Test func `a task far from trivial comes nearer to everything`() throws {
    let near = try embedding("near", random(5, 20).map { 0.001 * $0 })
    let far = try embedding("far", random(5, 20))
    let other = try embedding("other", random(6, 20))
    #expect(far.complexity > near.complexity)
    for task in [near, far] {
      let expected = try task.distance(to: other) - 0.15 * task.complexity
      #expect(abs(try task.asymmetricDistance(to: other) - expected) < 1e-15)
      #expect(try task.asymmetricDistance(to: other, alpha: 0) == task.distance(to: other))
    }
    // The prior is the trivial task: nothing was learned of it.
    #expect(try embedding("nothing", [0, 0, 0]).complexity == 0)
    #expect(try embedding("nothing", [0, 0, 0]).norm == 0)
    #expect(abs(try embedding("norm", [3, 4]).norm - 5) < 1e-15)
  }

  @Test func `affinity is what is left of one, and clusters alike tasks first`() throws {
    let (a, b) = (random(7, 50), random(8, 50))
    func near(_ values: [Double], _ seed: UInt64) -> [Double] {
      zip(values, random(seed, 50)).map { $0 * (0.9 + 0.04 * $1) }
    }
    let tasks = try [("a", a), ("b", b), ("near a", near(a, 9)), ("near b", near(b, 10))].map {
      try embedding($0.0, $0.1)
    }
    let affinity = try AffinityMatrix(embeddings: tasks)
    #expect(affinity[0, 0] == 1)
    #expect(abs(affinity[0, 1] - (1 - (try tasks[0].distance(to: tasks[1])))) < 1e-15)
    let tree = try TaskTree(clustering: affinity)
    #expect(tree.newick.contains("a") && affinity[0, 2] > affinity[0, 1] && affinity[1, 3] > affinity[1, 2])
  }

  @Test func `clusters are those of the nearest centres, none of them empty`() throws {
    var generator = SeededGenerator(seed: 4, label: "k-means")
    let centres: [[Double]] = [[0, 0], [9, 0], [0, 9]]
    let points = (0..<60).map { index in centres[index % 3].map { $0 + generator.uniform() } }
    let found = try KMeans.clusters(of: points, count: 3, generator: &generator)
    for index in 3..<60 { #expect(found[index] == found[index % 3]) }
    #expect(Set(found).count == 3)
    for count in 1...12 {
      #expect(Set(try KMeans.clusters(of: points, count: count, generator: &generator)).count == count)
    }
    #expect(throws: BanyanError.self) { try KMeans.clusters(of: points, count: 61, generator: &generator) }
  }

  @Test func `a file brings back the same embedding`() throws {
    let task = try embedding("a task", random(11, 9))
    let back = try JSONDecoder().decode(TaskEmbedding.self, from: JSONEncoder().encode(task))
    #expect(back == task)
  }

  @Test(arguments: [[], [1, -1e-9], [1, .nan], [.infinity, 1], [1, 2, 3]])
  func `numbers that are none are refused`(fisher: [Double]) {
    #expect(throws: BanyanError.self) {
      try TaskEmbedding(
        task: "t", probe: "p", estimator: "e", samples: 1, layers: [.init(name: "l", filters: 2, prior: 1)],
        fisher: fisher)
    }
  }

  @Test func `embeddings of different probes do not compare`() throws {
    let (a, b) = (try embedding("a", [1, 2]), try embedding("b", [1, 2], probe: "another"))
    #expect(throws: BanyanError.self) { try a.distance(to: b) }
    #expect(throws: BanyanError.self) { try AffinityMatrix(embeddings: [a, b]) }
    #expect(throws: BanyanError.self) { try a.distance(to: embedding("c", [1, 2, 3])) }
    #expect(throws: BanyanError.self) { try embedding("p", [1], prior: 0) }
    let other = try TaskEmbedding(
      task: "v", probe: "probe", estimator: "variational", samples: 1,
      layers: [.init(name: "layer", filters: 2, prior: 0.01)], fisher: [1, 2])
    #expect(throws: BanyanError.self) { try a.distance(to: other) }
  }
}
