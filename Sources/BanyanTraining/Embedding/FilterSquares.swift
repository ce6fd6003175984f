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
  /// - Returns: [batch, filters].
  package static func perPicture(_ layer: FilterLayer, input: Tensor, cotangent: Tensor, way: Way? = nil) throws -> Tensor {
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
      return try (a.matmul(a.transposed()).matmul(d) * d).sum([1]) * (1 / Double(weights))
    }
  }
}
