import BanyanFoundation
package import BanyanTensor
import Foundation

/// Multinomial logistic regression with L2 regularisation of the weights, solved to convergence in double precision.
///
///     f(W, b) = 1/n Σᵢ wᵢ CE(W xᵢ + b, yᵢ) + λ/(2n) ‖W‖²    // W [classes, width], b [classes], no penalty on b
///
/// `n · f · C` with `λ = 1/C` is the objective of the usual libraries. It is convex, so that the start does not matter.
package struct LogisticRegression {
  private let features: Tensor  // [rows, width], double precision
  private let targets: Tensor  // [rows, classes], one-hot
  private let weights: Tensor?  // [rows, 1]
  private let classes: Int
  private let width: Int
  private let rows: Double

  /// - Parameters:
  ///   - batch: The pictures to learn from.
  ///   - classes: How many classes there are.
  ///   - weights: `wᵢ`, how much each row counts; 1 where `nil`.
  /// - Throws: A `BanyanError` where there are no rows, or a label is none of the classes.
  package init(_ batch: TaskBatch, classes: Int, weights: [Double]? = nil) throws {
    guard batch.count > 0 else {
      throw BanyanError(.usage, at: "task \(batch.task)", "expected training pictures, found none")
    }
    // On the processor: accelerators may lack double precision.
    features = try batch.features.to(.float64, device: .cpu)
    targets = try batch.oneHotLabels(classes: classes).to(.float64, device: .cpu)
    self.weights = try weights.map { try Tensor($0, shape: [$0.count, 1]) }
    self.classes = classes
    width = features.extent(1)
    rows = Double(batch.count)
  }

  /// The minimum at one strength of regularisation: the rows of `W`, then `b`.
  package func minimum(strength: Double, from start: [Double]? = nil) throws -> [Double] {
    let start = start ?? [Double](repeating: 0, count: classes * width + classes)
    return try Engine.withoutGradients {
      try LBFGS().minimum(from: start) { try objective($0, strength: strength) }
    }
  }

  /// `W` and `b` of a point.
  package func tensors(_ point: [Double]) throws -> (head: Tensor, bias: Tensor) {
    (
      try Tensor(Array(point[..<(classes * width)]), shape: [classes, width]),
      try Tensor(Array(point[(classes * width)...]), shape: [classes])
    )
  }

  private func objective(_ point: [Double], strength: Double) throws -> (value: Double, gradient: [Double]) {
    let (head, bias) = try tensors(point)
    let logs = try features.linear(head, bias).logSoftmax()
    let weighted = try weights.map { try targets * $0 } ?? targets
    let chances = try weights.map { try logs.exp() * $0 } ?? logs.exp()
    let surplus = try (chances - weighted) * (1 / rows)
    let penalty = strength / rows
    let value = try -(weighted * logs).sum().item() / rows + penalty / 2 * head.squared().sum().item()
    let gradient = try (surplus.transposed().matmul(features) + head * penalty).doubles() + surplus.sum([0]).doubles()
    return (value, gradient)
  }
}

extension LogisticRegression {
  /// The strength that serves held-out pictures best, and the minimum there.
  ///
  /// Tried are 10⁶, 10⁵ … 10⁻⁶, then twice the exponents half as far on both sides of the best one, down to an eighth
  /// (Radford et al., arXiv:2103.00020, appendix A.3). The best has the most correct predictions, where several have as
  /// many the least cross-entropy, and where that is equal too the stronger regularisation.
  func chosen(on validation: TaskBatch) throws -> Double {
    var best: Candidate?
    var start: [Double]?
    func attempt(_ exponent: Double) throws {
      let point = try minimum(strength: pow(10, exponent), from: start)
      start = point
      let candidate = try self.candidate(exponent, point, validation)
      if best.map(candidate.isBetter) ?? true { best = candidate }
    }
    for exponent in stride(from: 6.0, through: -6, by: -1) { try attempt(exponent) }
    for step in [0.5, 0.25, 0.125] {
      let centre = best?.exponent ?? 0
      for exponent in [centre + step, centre - step] where abs(exponent) <= 6 {
        start = best?.point
        try attempt(exponent)
      }
    }
    return pow(10, best?.exponent ?? 0)
  }

  private struct Candidate {
    let exponent: Double
    let point: [Double]
    let correct: Int
    let loss: Double

    func isBetter(than other: Candidate) -> Bool {
      correct != other.correct ? correct > other.correct : loss < other.loss
    }
  }

  private func candidate(_ exponent: Double, _ point: [Double], _ validation: TaskBatch) throws -> Candidate {
    try Engine.withoutGradients {
      let (head, bias) = try tensors(point)
      let logits = try validation.features.to(.float64, device: .cpu).linear(head, bias)
      let loss = try logits.crossEntropy(validation.labels.to(device: .cpu)).item()
      return Candidate(exponent: exponent, point: point, correct: try validation.correct(logits), loss: loss)
    }
  }
}
