package import BanyanCLIP
package import BanyanFoundation
package import BanyanTensor

/// The Fisher information of a probe's filters by drawing labels from the model itself.
///
///     F_f = 1/N Σ_x p(y|x)/q(y|x) · 1/n_f ‖∂ log p(y|x) / ∂w_f‖²,   y ~ q(y|x) = ½ p(y|x) + ½ / classes
///
/// Unlike ``VariationalFisher`` it looks at the weights as they are. The gradient of each picture is squared on its own: the
/// square of a batch's mean would be smaller by the batch's size. Where the classifier is sure, as it is of the few pictures it
/// was learned from, nearly all information lies in labels that it would hardly ever draw: half of the draws are therefore as
/// likely for all classes, and count for less. The expectation stays, no draw counts more than twice.
package struct MonteCarloFisher {
  /// A label, and how much its draw counts.
  package struct Draw: Sendable, Equatable {
    /// The class.
    package var label: Int
    /// `p/q`.
    package var weight: Double

    package init(label: Int, weight: Double) { (self.label, self.weight) = (label, weight) }
  }

  private let network: any ProbeNetwork
  private let head: ProbeHead

  /// Looks at the filters of `network` with `head` on top.
  package init(network: any ProbeNetwork, head: ProbeHead) { (self.network, self.head) = (network, head) }

  /// The sum over pictures of each filter's mean squared gradient, layer by layer.
  ///
  /// - Parameters:
  ///   - pixels: [batch, 3, height, width].
  ///   - generator: Draws the labels.
  package func sums(_ pixels: Tensor, generator: inout SeededGenerator) throws -> [[Double]] {
    try sums(pixels) { chances, classes in try Self.draw(chances, classes: classes, generator: &generator) }
  }

  /// The same with labels that are chosen when the probabilities, row by row, are known.
  package func sums(
    _ pixels: Tensor, labels: (_ chances: [Double], _ classes: Int) throws -> [Draw]
  ) throws -> [[Double]] {
    try FilterSquares.sums({ try head.logits(network.features(pixels, tap: $0)) }) { logits in
      try Self.cotangent(logits, draw: labels)
    }.map(\.sums)
  }

  /// The gradient of `log p(y|x)` with respect to logits [rows, classes], times the root of what the draw counts.
  package static func cotangent(
    _ logits: Tensor, draw: (_ chances: [Double], _ classes: Int) throws -> [Draw]
  ) throws -> Tensor {
    try Engine.withoutGradients {
      let (rows, classes) = (logits.extent(0), logits.extent(1))
      let chances = try logits.softmax()
      let drawn = try draw(chances.to(.float64).doubles(), classes)
      var hits = [Float](repeating: 0, count: rows * classes)
      for (row, draw) in drawn.enumerated() { hits[row * classes + draw.label] = 1 }
      let roots = drawn.map { Float($0.weight.squareRoot()) }
      let surplus = try chances - Tensor(hits, shape: [rows, classes], device: logits.device)
      return try surplus * Tensor(roots, shape: [rows, 1], device: logits.device)
    }
  }

  /// A label for every row of `chances` [rows, classes].
  package static func draw(_ chances: [Double], classes: Int, generator: inout SeededGenerator) throws -> [Draw] {
    try stride(from: 0, to: chances.count, by: classes).map { start in
      let row = chances[start..<start + classes]
      let total = row.reduce(0, +)
      guard total > 0, total.isFinite else {
        throw BanyanError(.failed, at: "task embedding", "the classifier on the probe gives no probabilities")
      }
      let even = 1 / Double(classes)
      var left = generator.uniform()
      var label = classes - 1
      for (place, chance) in row.enumerated() {
        left -= 0.5 * chance / total + 0.5 * even
        if left < 0 {
          label = place
          break
        }
      }
      let chance = chances[start + label] / total
      return Draw(label: label, weight: chance / (0.5 * chance + 0.5 * even))
    }
  }
}
