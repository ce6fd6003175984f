package import BanyanCLIP
package import BanyanFoundation
package import BanyanTensor

/// The Fisher information of a probe's filters by drawing labels from the model itself.
///
///     F_f = 1/N Σ_x 1/n_f ‖∂ log p(y|x) / ∂w_f‖²,   y ~ p(y|x)
///
/// Unlike ``VariationalFisher`` it looks at the weights as they are. The gradient of each picture is squared on its own: the
/// square of a batch's mean would be smaller by the batch's size.
package struct MonteCarloFisher {
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
  package func sums(_ pixels: Tensor, labels: (_ chances: [Double], _ classes: Int) throws -> [Int]) throws -> [[Double]] {
    var seen: [(layer: FilterLayer, input: Tensor, output: Tensor)] = []
    let features = try network.features(pixels) { layer, input, output in
      // No weight asks for gradients; from the first layer's output on they are followed.
      let output = seen.isEmpty ? try output.asParameter() : output
      seen.append((layer, input, output))
      return output
    }
    let logits = try head.logits(features)
    let (rows, classes) = (logits.extent(0), logits.extent(1))
    let chances = try Engine.withoutGradients { try logits.softmax() }
    let drawn = try labels(chances.doubles(), classes)
    var hits = [Float](repeating: 0, count: rows * classes)
    for (row, label) in drawn.enumerated() { hits[row * classes + label] = 1 }
    let cotangent = try Engine.withoutGradients {
      try chances - Tensor(hits, shape: [rows, classes], device: logits.device)
    }
    let gradients = try Gradients.of([logits], cotangents: [cotangent], with: seen.map(\.output))
    return try Engine.withoutGradients {
      try zip(seen, gradients).map { seen, gradient in
        try FilterSquares.perPicture(seen.layer, input: seen.input, cotangent: gradient).sum([0]).doubles()
          .map { max(0, $0) }
      }
    }
  }

  /// A label for every row of `chances` [rows, classes].
  package static func draw(_ chances: [Double], classes: Int, generator: inout SeededGenerator) throws -> [Int] {
    try stride(from: 0, to: chances.count, by: classes).map { start in
      let row = chances[start..<start + classes]
      let total = row.reduce(0, +)
      guard total > 0, total.isFinite else {
        throw BanyanError(.failed, at: "task embedding", "the classifier on the probe gives no probabilities")
      }
      var left = generator.uniform() * total
      for (label, chance) in row.enumerated() {
        left -= chance
        if left < 0 { return label }
      }
      return classes - 1
    }
  }
}
