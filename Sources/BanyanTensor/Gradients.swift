import BanyanFoundation
import CTorch

extension Tensor {
  /// The same numbers as a leaf with respect to which gradients can be asked for.
  public func asParameter() throws -> Tensor {
    let leaf = try detached().clone()
    try engine { ct_set_requires_gradient(leaf.handle, true) }
    return leaf
  }

  /// The same numbers without their history.
  public func detached() throws -> Tensor { try produce { ct_detach(handle, $0) } }
}

/// Reverse-mode gradients as a function: nothing is accumulated, nothing is hidden in the tensors.
public enum Gradients {
  /// The gradients of `Σₖ ⟨outputsₖ, cotangentsₖ⟩` with respect to each of `inputs`.
  ///
  /// - Parameters:
  ///   - outputs: The tensors to differentiate.
  ///   - cotangents: One per output, of its shape and type; ones where `nil`.
  ///   - inputs: Tensors that require gradients, or lie between those and the outputs.
  ///   - retainingGraph: Keeps the graph, so that it can be asked again with other cotangents.
  /// - Returns: One gradient per input; zeros for an input that the outputs do not depend on.
  public static func of(
    _ outputs: [Tensor], cotangents: [Tensor]? = nil, with inputs: [Tensor], retainingGraph: Bool = false
  ) throws -> [Tensor] {
    try zip(ofUsed(outputs, cotangents: cotangents, with: inputs, retainingGraph: retainingGraph), inputs).map {
      try $0 ?? .zeros($1.shape, dtype: $1.dtype, device: $1.device)
    }
  }

  /// What ``of(_:cotangents:with:retainingGraph:)`` gives, with `nil` instead of zeros.
  public static func ofUsed(
    _ outputs: [Tensor], cotangents: [Tensor]? = nil, with inputs: [Tensor], retainingGraph: Bool = false
  ) throws -> [Tensor?] {
    if let cotangents, cotangents.count != outputs.count {
      throw BanyanError(.failed, at: "Gradients", "expected \(outputs.count) cotangents, found \(cotangents.count)")
    }
    // Without inputs libtorch would accumulate into the leaves; without outputs there is nothing to differentiate.
    if inputs.isEmpty { return [] }
    if outputs.isEmpty { return inputs.map { _ in nil } }
    var results = [ct_tensor?](repeating: nil, count: inputs.count)
    let ys = outputs.map { Optional($0.handle) }
    let gs = cotangents?.map { Optional($0.handle) }
    let xs = inputs.map { Optional($0.handle) }
    try withExtendedLifetime((outputs, cotangents, inputs)) {
      try engine {
        ct_gradients(ys, gs, Int32(ys.count), xs, Int32(xs.count), retainingGraph, true, &results)
      }
    }
    return results.map { $0.map(Tensor.init) }
  }
}
