package import BanyanCLIP
package import BanyanTensor

/// The squares of one picture's gradient with respect to a layer's weights, averaged over each filter.
///
/// A batch's own gradient is the sum over its pictures, whose square is not the sum of squares. Of what goes in, `a`, and
/// the gradient of what comes out, `d`, a filter's gradient is `Σ_p d_p a_p`, and
///
///     1/n ‖Σ_p d_p a_p‖² = 1/n Σ_{p, q} d_p d_q ⟨a_p, a_q⟩
///
/// which is fewer products the other way round where there are fewer positions than weights.
package enum FilterSquares {
  /// How the same numbers are computed.
  package enum Way { case gradients, positions }

  /// - Parameters:
  ///   - layer: The layer.
  ///   - input: What went in.
  ///   - cotangent: The gradient with respect to what came out, of each picture's own loss.
  ///   - way: How; `nil` for the one with fewer products.
  /// - Returns: [batch, filters], none below zero.
  package static func perPicture(
    _ layer: FilterLayer, input: Tensor, cotangent: Tensor, way: Way? = nil
  ) throws -> Tensor {
    var (a, d) = (input, cotangent)
    if case .convolution(let kernel, let stride, let padding) = layer.kind {
      a = try input.windows(kernel: kernel, stride: stride, padding: padding)  // [batch, positions, weights]
      let shape = cotangent.shape
      d = try cotangent.reshaped([shape[0], shape[1], shape[2] * shape[3]]).transposed()  // [batch, positions, filters]
    }
    let (positions, weights, filters) = (a.extent(1), a.extent(2), d.extent(2))
    let way = way ?? (positions * (weights + filters) < weights * filters ? .positions : .gradients)
    switch way {
    case .gradients: return try d.transposed().matmul(a).squared().mean([2])
    case .positions:
      // What all positions have in common apart: where a filter's `d` add up to nothing, as those of attention's keys do,
      // it would have to cancel in the products.
      let mean = try a.mean([1], keepingAxes: true)  // [batch, 1, weights]
      let rest = try a - mean
      let sum = try d.sum([1])  // [batch, filters]
      let own = try (rest.matmul(rest.transposed()).matmul(d) * d).sum([1])
      let mixed = try (rest.matmul(mean.transposed()) * d).sum([1]) * sum
      let common = try sum.squared() * mean.squared().sum([2])
      return try ((own + mixed * 2 + common) * (1 / Double(weights))).relu()
    }
  }

  /// The sums over pictures of each filter's mean squared gradient, for the layers that `forward` taps, in their order.
  ///
  /// - Parameters:
  ///   - forward: Runs pictures through a network and what stands on it, with the tap it is given.
  ///   - cotangent: The gradient of each picture's own loss with respect to what `forward` gave.
  package static func sums(
    _ forward: (FilterTap) throws -> Tensor, cotangent: (Tensor) throws -> Tensor
  ) throws -> [(layer: FilterLayer, sums: [Double])] {
    var seen: [(layer: FilterLayer, input: Tensor, output: Tensor)] = []
    let end = try forward { layer, input, output in
      // No weight asks for gradients; from the first layer's output on they are followed.
      let output = seen.isEmpty ? try output.asParameter() : output
      seen.append((layer, input, output))
      return output
    }
    let gradients = try Gradients.of([end], cotangents: [cotangent(end)], with: seen.map(\.output))
    return try Engine.withoutGradients {
      try zip(seen, gradients).map { seen, gradient in
        (seen.layer, try perPicture(seen.layer, input: seen.input, cotangent: gradient).sum([0]).doubles())
      }
    }
  }
}
