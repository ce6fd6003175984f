import BanyanFoundation

/// How far apart tasks are by what they ask of a probe.
public enum EmbeddingDistance {
  /// `α` of the paper's experiments: how much being far from trivial brings a task nearer to others.
  public static let defaultAlpha = 0.15

  /// `1 − cos(a/(a+b), b/(a+b))`, element by element inside the cosine; between 0 (equal) and 1 (nothing in common).
  ///
  /// Each filter is measured against what both ask of it, so that layers of all scales count alike, and so that one factor
  /// on both changes nothing. For vectors of positive numbers of one length.
  public static func symmetric(_ a: [Double], _ b: [Double]) -> Double {
    var (product, first, second) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) where x + y > 0 {
      // Each share by a division of its own: one minus the other would be lost where they are of very different size.
      let (a, b) = (x / (x + y), y / (x + y))
      product += a * b
      first += a * a
      second += b * b
    }
    let lengths = first.squareRoot() * second.squareRoot()
    // Rounding may take a cosine past 1. Vectors of which one has nothing where the other has something are far apart.
    return lengths > 0 ? max(0, 1 - product / lengths) : first + second > 0 ? 1 : 0
  }
}

extension TaskEmbedding {
  /// The symmetric distance `d_sym(a, b) = 1 − cos(Λ_a/(Λ_a + Λ_b), Λ_b/(Λ_a + Λ_b))`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where the two were made by different probes.
  public func distance(to other: TaskEmbedding) throws -> Double {
    try checkComparable(other)
    return EmbeddingDistance.symmetric(precision, other.precision)
  }

  /// The asymmetric distance `d_asym(a → b) = d_sym(a, b) − α d_sym(a, t₀)` from this task `a`.
  ///
  /// `t₀` is the trivial embedding. A task that is far from trivial, because it is hard or has much to learn from, comes
  /// nearer to everything: what was learned on it is of use beyond it.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where the two were made by different probes.
  public func asymmetricDistance(to other: TaskEmbedding, alpha: Double = EmbeddingDistance.defaultAlpha) throws
    -> Double
  {
    try distance(to: other) - alpha * complexity
  }

  /// `d_sym(a, t₀)`: the distance from the trivial task.
  public var complexity: Double { EmbeddingDistance.symmetric(precision, prior) }

  /// Throws where `other` cannot be compared with this one.
  public func checkComparable(_ other: TaskEmbedding) throws {
    guard probe == other.probe, layers.map(\.name) == other.layers.map(\.name),
      layers.map(\.filters) == other.layers.map(\.filters)
    else {
      throw BanyanError(
        .usage, at: "embeddings of \(task) and \(other.task)", "were made by different probes",
        remedy: "Embed both with one probe: \(probe) or \(other.probe).")
    }
    guard estimator == other.estimator else {
      throw BanyanError(
        .usage, at: "embeddings of \(task) and \(other.task)", "were estimated in different ways",
        remedy: "Embed both alike: \(estimator) or \(other.estimator).")
    }
  }
}

extension AffinityMatrix {
  /// `1 − d_sym` of every pair: what trees and groups of tasks are built from.
  ///
  /// - Throws: A `BanyanError` where embeddings do not compare, or names are not all different.
  public init(embeddings: [TaskEmbedding]) throws {
    let precisions = embeddings.map(\.precision)
    for other in embeddings.dropFirst() { try embeddings[0].checkComparable(other) }
    var values = embeddings.map { _ in [Double](repeating: 1, count: embeddings.count) }
    for i in embeddings.indices {
      for j in 0..<i {
        let affinity = 1 - EmbeddingDistance.symmetric(precisions[i], precisions[j])
        values[i][j] = affinity
        values[j][i] = affinity
      }
    }
    try self.init(names: embeddings.map(\.task), values: values)
  }
}
