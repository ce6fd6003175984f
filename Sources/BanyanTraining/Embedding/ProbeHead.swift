import BanyanFoundation
import BanyanPrompts
package import BanyanTensor

/// The classifier that is put on a probe for one task: `(s · features) Wᵀ + b`, with `s` so that numbers are of size one.
package struct ProbeHead {
  /// `s`: one over the root mean square of the task's features, so that rates and weight decay suit every probe.
  package var scale: Double
  /// `W`, [classes, width].
  package var weight: Tensor
  /// `b`, [classes].
  package var bias: Tensor

  package init(scale: Double, weight: Tensor, bias: Tensor) {
    (self.scale, self.weight, self.bias) = (scale, weight, bias)
  }

  /// The same numbers without their history.
  func detached() throws -> ProbeHead {
    ProbeHead(scale: scale, weight: try weight.detached(), bias: try bias.detached())
  }

  package func logits(_ features: Tensor) throws -> Tensor { try (features * scale).linear(weight, bias) }

  /// The scale that suits `features`.
  package static func scale(of features: Tensor) throws -> Double {
    let square = try features.to(.float64).squared().mean().item()
    return square > 0 && square.isFinite ? 1 / square.squareRoot() : 1
  }

  /// The classifier at the minimum of the mean cross-entropy, each class weighing the same, plus `weightDecay/2 ‖W‖²`.
  package static func converged(_ features: Tensor, labels: [Int], classes: Int, weightDecay: Double) throws
    -> ProbeHead
  {
    let scale = try scale(of: features)
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    let present = Double(counts.count { $0 > 0 })
    let weights = labels.map { Double(labels.count) / (present * Double(counts[$0])) }
    let problem = try LogisticRegression(
      TaskBatch(task: 0, features: features * scale, labels: .indices(labels)), classes: classes, weights: weights)
    let (weight, bias) = try problem.tensors(problem.minimum(strength: weightDecay * Double(labels.count)))
    return ProbeHead(
      scale: scale, weight: try weight.to(.float32, device: features.device),
      bias: try bias.to(.float32, device: features.device))
  }
}

/// Pictures of a task drawn with replacement, each of its classes as likely as the others.
package struct BalancedDraws {
  private let byClass: [[Int]]
  private var generator: SeededGenerator

  package init(labels: [Int], seed: UInt64, label: String) {
    byClass = Dictionary(grouping: labels.indices, by: { labels[$0] }).sorted { $0.key < $1.key }.map(\.value)
    generator = SeededGenerator(seed: seed, label: label)
  }

  /// The next `count` pictures.
  package mutating func next(_ count: Int) -> [Int] {
    (0..<count).map { _ in
      let members = byClass[generator.integer(below: byClass.count)]
      return members[generator.integer(below: members.count)]
    }
  }
}
