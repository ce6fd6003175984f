import BanyanFoundation
import CTorch

/// A pre-norm transformer block as one op with its own backward.
///
/// The same numbers as the block out of single ops, with gradients for its inputs and for those weights that require them:
/// nothing is recorded for frozen weights, residuals and activations cost no pass of their own, and prompts that nobody reads
/// afterwards give keys and values only.
///
///     x₁ = x + attention(norm₁ x beside norm₁ prompts)
///     y  = x₁ + mlp(norm₂ x₁)
public final class FusedBlock: @unchecked Sendable {
  // Immutable after creation.
  private let handle: ct_block

  /// The two layers of weights and biases of one sublayer.
  public typealias Affine = (weight: Tensor, bias: Tensor)

  /// The activation between the MLP's layers.
  public enum Activation: Sendable {
    /// `x · σ(1.702 x)`.
    case quickGELU
    /// `x Φ(x)`.
    case gelu
  }

  /// A block over weights in fp32 on the processor.
  ///
  /// - Parameters:
  ///   - norm1: Before the attention.
  ///   - queryKeyValue: [3 · width, width] and [3 · width].
  ///   - output: [width, width] and [width].
  ///   - norm2: Before the MLP.
  ///   - mlpInput: The MLP's first layer.
  ///   - mlpOutput: The MLP's second layer.
  ///   - heads: Attention heads.
  ///   - epsilon: What the norms add to the variance.
  ///   - activation: Between the MLP's layers.
  ///   - precision: Of products, fp32 where a weight requires gradients; inputs, outputs and attention are fp32.
  ///   - products: Who multiplies in fp32, and whose attention runs.
  public init(
    norm1: Affine, queryKeyValue: Affine, output: Affine, norm2: Affine, mlpInput: Affine, mlpOutput: Affine,
    heads: Int, epsilon: Double, activation: Activation, precision: DType = .float32,
    products: MatrixProducts = .automatic
  ) throws {
    let all = [norm1, queryKeyValue, output, norm2, mlpInput, mlpOutput].flatMap { [$0.weight, $0.bias] }
    let handles = all.map { Optional($0.handle) }
    var handle: ct_block?
    try withExtendedLifetime(all) {
      try engine {
        ct_block_new(
          handles, Int32(heads), epsilon, activation == .quickGELU, precision.engineValue,
          products.engineValue, &handle)
      }
    }
    guard let handle else { throw BanyanError(.failed, at: "FusedBlock", "the engine made none") }
    self.handle = handle
  }

  deinit { ct_block_free(handle) }

  /// The block over [rows, tokens, width].
  ///
  /// - Parameters:
  ///   - x: The tokens, in fp32.
  ///   - prompts: Tokens that `x` sees and that have no outputs, [1, count, width]; `nil` for none.
  ///   - wanted: How many of the first tokens have outputs; `nil` for all.
  /// - Returns: [rows, wanted, width].
  public func callAsFunction(_ x: Tensor, prompts: Tensor? = nil, wanted: Int? = nil) throws -> Tensor {
    try produce { ct_block_apply(handle, x.handle, prompts?.handle, Int64(wanted ?? x.extent(1)), $0) }
  }

  /// The block over texts that share a prefix: a token sees what stands before it in the prefix and in its own name.
  ///
  /// - Parameters:
  ///   - x: [prompts, tokens, width], in fp32: for each prompt the prefix, then the names, those of one length together.
  ///   - prefix: The prefix's tokens.
  ///   - names: How many names of which length follow, in their order.
  ///   - endsOnly: Whether only the last token of each name has an output.
  ///   - packed: Whether frozen weights that gradients pass through stay packed for products: faster for calls with as many tokens
  ///     as this one, for as much memory again in each direction.
  /// - Returns: [prompts, tokens, width], or [prompts, names, width].
  public func texts(
    _ x: Tensor, prefix: Int, names: [(count: Int, length: Int)], endsOnly: Bool = false, packed: Bool = false
  ) throws -> Tensor {
    let counts = names.map { Int64($0.count) }
    let lengths = names.map { Int64($0.length) }
    return try produce {
      ct_block_apply_text(handle, x.handle, Int64(prefix), counts, lengths, Int32(names.count), endsOnly, packed, $0)
    }
  }
}
