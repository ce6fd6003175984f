public import BanyanFoundation
import BanyanPrompts
public import BanyanReports
public import BanyanStructure
import BanyanTensor

/// A space of small tasks whose complexity is known: which side of a border a point of the unit square lies on.
///
/// A uniform grid is clustered into `k` clusters, and half of the clusters are one class. All tasks have the same inputs, so
/// that an embedding can tell them apart by their borders alone.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, supplement 5 and figure 4.
public struct ToyTaskSpace: Sendable {
  /// A fixed feature extractor.
  public enum Probe: String, NamedChoice {
    /// All monomials of x and y up to the third degree.
    case polynomials
    /// `max(0, ax + by + c)` with `a`, `b` uniform on ±½ and `c` on ±1, ten of them.
    case randomFeatures = "random-features"
  }

  /// Which points of the grid are of the one class.
  public struct ToyTask: Sendable, Equatable {
    /// How many clusters the grid was divided into.
    public var clusters: Int
    /// 0 or 1, row by row.
    public var labels: [Int]
  }

  /// How many points the grid has along each axis.
  public let side: Int
  /// The tasks.
  public let tasks: [ToyTask]
  private let points: [[Double]]
  private let seed: UInt64

  /// Draws tasks with 3 to 16 clusters, in turn.
  public init(count: Int = 64, side: Int = 24, seed: UInt64 = 1) throws {
    guard count > 0, (4...200).contains(side) else {
      throw BanyanError(.usage, at: "toy tasks", "expected a task or more on a grid of 4 to 200 points a side")
    }
    let points = (0..<side * side).map { index in
      [(Double(index % side) + 0.5) / Double(side), (Double(index / side) + 0.5) / Double(side)]
    }
    (self.side, self.points, self.seed) = (side, points, seed)
    tasks = try (0..<count).map { number in
      var generator = SeededGenerator(seed: seed, label: "toy task \(number)")
      let clusters = 3 + number % 14
      let found = try KMeans.clusters(of: points, count: clusters, generator: &generator)
      let chosen = Set(generator.shuffled(Array(0..<clusters)).prefix(clusters / 2))
      return ToyTask(clusters: clusters, labels: found.map { chosen.contains($0) ? 1 : 0 })
    }
  }

  /// The features of all points.  // [points, features]
  func features(_ probe: Probe) -> [[Double]] {
    switch probe {
    case .polynomials:
      return points.map { point in
        (0...3).flatMap { degree in
          (0...degree).map { y in Self.power(point[0], degree - y) * Self.power(point[1], y) }
        }
      }
    case .randomFeatures:
      var generator = SeededGenerator(seed: seed, label: "toy probe")
      let features = (0..<10).map { _ in
        (a: generator.uniform() - 0.5, b: generator.uniform() - 0.5, c: 2 * generator.uniform() - 1)
      }
      return points.map { point in features.map { max(0, $0.a * point[0] + $0.b * point[1] + $0.c) } }
    }
  }

  private static func power(_ x: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { value, _ in value * x }
  }

  /// The embeddings of all tasks: the exact information of a logistic regression on the probe's features,
  /// `F_j = 1/n Σ p (1 − p) φ_j²`.
  ///
  /// - Parameters:
  ///   - probe: The feature extractor.
  ///   - weightDecay: Of the classifier.
  ///   - beta: What a nat of noise costs, for the prior.
  public func embeddings(_ probe: Probe, weightDecay: Double = 1e-4, beta: Double = 1e-4) throws -> [TaskEmbedding] {
    let rows = features(probe)
    let width = rows[0].count
    let features = try Tensor(rows.flatMap { $0 }, shape: [rows.count, width])
    return try tasks.enumerated().map { number, task in
      let problem = try LogisticRegression(
        TaskBatch(task: 0, features: features, labels: .indices(task.labels)), classes: 2)
      let (weight, bias) = try problem.tensors(problem.minimum(strength: weightDecay * Double(rows.count)))
      let chances = try features.linear(weight, bias).softmax().doubles()
      var fisher = [Double](repeating: 0, count: width)
      for (row, values) in rows.enumerated() {
        let variance = chances[2 * row] * chances[2 * row + 1] / Double(rows.count)
        for (feature, value) in values.enumerated() { fisher[feature] += variance * value * value }
      }
      let prior = FisherPrior.precision(fisher, meanSquare: try weight.squared().mean().item(), beta: beta)
      return try TaskEmbedding(
        task: "\(number + 1): \(task.clusters) clusters", probe: "toy \(probe.rawValue)", estimator: "exact",
        samples: rows.count, layers: [.init(name: "features", filters: width, prior: prior)], fisher: fisher)
    }
  }

  /// The tasks in the plane, by the distances of their embeddings, each with its picture.
  public func map(_ probe: Probe) throws -> MapRecord {
    let embeddings = try embeddings(probe)
    let correlation = RankCorrelation.spearman(embeddings.map(\.norm), tasks.map { Double($0.clusters) }) ?? 0
    var map = try MapRecord(
      embeddings, title: "Toy tasks through \(probe == .polynomials ? "cubic polynomials" : "random features")",
      groups: tasks.map { $0.clusters < 6 ? "3 to 5 clusters" : $0.clusters < 11 ? "6 to 10" : "11 to 16" })
    map.note = "Rank correlation of the norm with the number of clusters: \((correlation * 100).rounded() / 100)"
    let step = max(1, side / 12)
    let rows = stride(from: 0, to: side, by: step)
    map.icons = tasks.map { task in
      rows.map { row in String(rows.map { column in task.labels[row * side + column] == 1 ? "#" : "." }) }
    }
    return map
  }
}
