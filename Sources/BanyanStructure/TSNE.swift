import BanyanFoundation
import Foundation

/// Places in the plane whose neighbourhoods are those of given distances (t-distributed stochastic neighbour embedding).
///
///     p(j|i) ∝ exp(−d²(i, j) / 2σᵢ²) with 2^H(p(·|i)) = perplexity,   pᵢⱼ = (p(j|i) + p(i|j)) / 2n
///     qᵢⱼ ∝ 1 / (1 + ‖yᵢ − yⱼ‖²),   minimise KL(p ‖ q)
///
/// Exact, in O(n²) a step and without chance: it starts from classical scaling (the first two principal axes where distances are
/// Euclidean). Distances of places that are far apart say little; neighbourhoods do.
///
/// Paper: van der Maaten and Hinton, *Visualizing Data using t-SNE*, JMLR 9, 2008; defaults as in scikit-learn 1.9.
public struct TSNE: Sendable {
  /// About how many neighbours each point has; at most a third of the points are used.
  public var perplexity = 30.0
  /// How many steps are taken.
  public var iterations = 1000
  /// By what neighbours' attraction is multiplied at first, so that clusters form.
  public var exaggeration = 12.0
  /// For how many steps.
  public var exaggeratedIterations = 250
  /// The step's length; `nil` for n / 48, at least 50.
  public var rate: Double?

  /// Default settings.
  public init() {}

  /// Places, and how far their neighbourhoods are from those asked for.
  public struct Embedding: Sendable, Equatable {
    /// One place for each point.
    public var places: [(x: Double, y: Double)]
    /// `KL(p ‖ q)` in nats.
    public var divergence: Double

    public static func == (a: Embedding, b: Embedding) -> Bool {
      a.divergence == b.divergence && a.places.elementsEqual(b.places) { $0 == $1 }
    }
  }

  /// Places points whose squared distances are `squared[i * n + j]`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where that is no symmetric matrix of finite numbers from zero on.
  public func callAsFunction(squaredDistances squared: [Double], count n: Int) throws -> Embedding {
    try Self.check(squared, n)
    guard n > 2 else { return Embedding(places: (0..<n).map { (Double($0), 0) }, divergence: 0) }
    let p = Self.jointProbabilities(squared, count: n, perplexity: min(perplexity, Double(n - 1) / 3))
    var y = Self.scaled(Self.classicalScaling(squared, count: n), count: n)
    var change = [Double](repeating: 0, count: 2 * n)
    var gains = [Double](repeating: 1, count: 2 * n)
    let rate = rate ?? max(Double(n) / exaggeration / 4, 50)
    for iteration in 0..<iterations {
      let isEarly = iteration < exaggeratedIterations
      if iteration == exaggeratedIterations {
        // What was gathered belongs to other forces.
        change = [Double](repeating: 0, count: 2 * n)
        gains = [Double](repeating: 1, count: 2 * n)
      }
      let (gradient, _) = Self.gradient(p, y, exaggeration: isEarly ? exaggeration : 1)
      let momentum = isEarly ? 0.5 : 0.8
      for i in y.indices {
        gains[i] = max(0.01, gradient[i] * change[i] < 0 ? gains[i] + 0.2 : gains[i] * 0.8)
        change[i] = momentum * change[i] - rate * gains[i] * gradient[i]
        y[i] += change[i]
      }
    }
    return Embedding(
      places: (0..<n).map { (y[2 * $0], y[2 * $0 + 1]) }, divergence: Self.gradient(p, y, exaggeration: 1).divergence)
  }

  /// Places points of some space, by their Euclidean distances.
  public func callAsFunction(_ points: [[Double]]) throws -> Embedding {
    let n = points.count
    guard let width = points.first?.count, points.allSatisfy({ $0.count == width }) else {
      guard n == 0 else { throw BanyanError(.usage, at: "t-SNE", "expected points of one length") }
      return Embedding(places: [], divergence: 0)
    }
    var squared = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<i {
        var sum = 0.0
        for k in 0..<width { sum += (points[i][k] - points[j][k]) * (points[i][k] - points[j][k]) }
        (squared[i * n + j], squared[j * n + i]) = (sum, sum)
      }
    }
    return try self(squaredDistances: squared, count: n)
  }

  private static func check(_ squared: [Double], _ n: Int) throws {
    guard squared.count == n * n, squared.allSatisfy({ $0.isFinite && $0 >= 0 }),
      (0..<n).allSatisfy({ i in (0..<i).allSatisfy { squared[i * n + $0] == squared[$0 * n + i] } })
    else {
      throw BanyanError(
        .usage, at: "t-SNE", "expected \(n) × \(n) symmetric squared distances, finite and not below zero")
    }
  }
}
