package import BanyanTensor
import Synchronization

/// `(x − mean) / √(variance + ε) · weight + bias`.
struct LayerNorm: Sendable {
  let weight: Tensor
  let bias: Tensor
  let epsilon: Double

  init(_ tree: ParameterTree, _ path: String, epsilon: Double) throws {
    weight = try tree.require("\(path).weight")
    bias = try tree.require("\(path).bias")
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor { try x.layerNorm(weight, bias, epsilon: epsilon) }
}

/// `x Wᵀ + b`; in bf16 of rounded inputs and weights.
struct Linear: Sendable {
  let weight: Tensor
  let bias: Tensor?
  private let rounded: RoundedTwin?

  init(_ tree: ParameterTree, _ path: String, hasBias: Bool = true, precision: TowerPrecision = .fp32) throws {
    weight = try tree.require("\(path).weight")
    bias = hasBias ? try tree.require("\(path).bias") : nil
    rounded = precision == .fp32 ? nil : RoundedTwin(weight, bias, precision)
  }

  /// All outputs, or some of them, in the type of `x`.
  func callAsFunction(_ x: Tensor, outputs: Range<Int>? = nil) throws -> Tensor {
    try product(x, outputs: outputs).to(x.dtype)
  }

  /// The same in the type that products are in.
  func product(_ x: Tensor, outputs: Range<Int>? = nil) throws -> Tensor {
    let (weight, bias) = try rounded?() ?? (weight, bias)
    func cut(_ tensor: Tensor) throws -> Tensor {
      try outputs.map { try tensor.narrowed(0, start: $0.lowerBound, length: $0.count) } ?? tensor
    }
    return try (rounded == nil ? x : x.to(weight.dtype)).linear(cut(weight), bias.map(cut))
  }
}

/// A layer's rounded weights, made when they are first asked for: what has a ``FusedTwin`` never asks.
private final class RoundedTwin: Sendable {
  private let weight: Tensor
  private let bias: Tensor?
  private let precision: TowerPrecision
  private let made = Mutex<(weight: Tensor, bias: Tensor?)?>(nil)

  init(_ weight: Tensor, _ bias: Tensor?, _ precision: TowerPrecision) {
    (self.weight, self.bias, self.precision) = (weight, bias, precision)
  }

  func callAsFunction() throws -> (weight: Tensor, bias: Tensor?) {
    try made.withLock { made in
      if let made { return made }
      let new = (weight: try weight.to(precision.dtype), bias: try bias?.to(precision.dtype))
      made = new
      return new
    }
  }
}

/// One pre-norm block of either tower: `x + attention(norm₁ x)`, then `x + mlp(norm₂ x)`.
///
/// It knows nothing of prompts; the towers decide which tokens it sees.
package struct TransformerBlock: Sendable {
  let norm1: LayerNorm
  let queryKeyValue: Linear
  let output: Linear
  let norm2: LayerNorm
  let mlpInput: Linear
  let mlpOutput: Linear
  let heads: Int
  let activation: CLIPConfiguration.Activation

  init(
    _ tree: ParameterTree, _ path: String, _ configuration: CLIPConfiguration.Transformer,
    _ precision: TowerPrecision = .fp32
  ) throws {
    func linear(_ part: String) throws -> Linear { try Linear(tree, "\(path).\(part)", precision: precision) }
    norm1 = try LayerNorm(tree, "\(path).norm1", epsilon: configuration.epsilon)
    queryKeyValue = try linear("attention.qkv")
    output = try linear("attention.output")
    norm2 = try LayerNorm(tree, "\(path).norm2", epsilon: configuration.epsilon)
    mlpInput = try linear("mlp.input")
    mlpOutput = try linear("mlp.output")
    heads = configuration.heads
    activation = configuration.activation
  }

  /// The block over [rows, tokens, width].
  package func callAsFunction(_ x: Tensor, causal: Bool) throws -> Tensor {
    try feedForward(x + attention(norm1(x), causal: causal))
  }

  /// Self-attention alone, without norm and residual: [rows, tokens, width].
  package func attention(_ x: Tensor, causal: Bool) throws -> Tensor {
    let (queries, keys, values) = try split(queryKeyValue.product(x))
    let mixed = try queries.attention(keys: keys, values: values, causal: causal)  // [rows, heads, tokens, d]
    return try output.product(merge(mixed)).to(x.dtype)
  }

  /// The MLP alone, without norm and residual, position by position.
  package func mlp(_ x: Tensor) throws -> Tensor { try mlpOutput(activated(mlpInput(x))) }

  /// What stands between the two layers of the MLP.
  func activated(_ hidden: Tensor) throws -> Tensor {
    try activation == .quickGELU ? hidden.quickGELU() : hidden.gelu()
  }

  /// `x + mlp(norm₂ x)`.
  func feedForward(_ x: Tensor) throws -> Tensor { try x + mlp(norm2(x)) }

  /// [rows, tokens, 3 · width] as three of [rows, heads, tokens, d].
  func split(_ qkv: Tensor) throws -> (queries: Tensor, keys: Tensor, values: Tensor) {
    let (rows, tokens, width) = (qkv.extent(0), qkv.extent(1), qkv.extent(2) / 3)
    let parts = try qkv.reshaped([rows, tokens, 3, heads, width / heads]).permuted([2, 0, 3, 1, 4])
    return (try parts.select(0, 0), try parts.select(0, 1), try parts.select(0, 2))
  }

  /// [rows, heads, tokens, d] as [rows, tokens, width].
  func merge(_ x: Tensor) throws -> Tensor {
    let shape = x.shape
    return try x.permuted([0, 2, 1, 3]).reshaped([shape[0], shape[2], shape[1] * shape[3]])
  }
}

extension TransformerBlock {
  /// Keys and values alone, for tokens whose outputs nobody reads: two of [rows, heads, tokens, d].
  func keysAndValues(_ x: Tensor) throws -> (keys: Tensor, values: Tensor) {
    let width = x.extent(-1)
    let kv = try queryKeyValue(norm1(x), outputs: width..<3 * width)
    let parts = try kv.reshaped([x.extent(0), x.extent(1), 2, heads, width / heads]).permuted([2, 0, 3, 1, 4])
    return (try parts.select(0, 0), try parts.select(0, 1))
  }

  /// Queries alone, [rows, heads, tokens, d].
  func queries(_ x: Tensor) throws -> Tensor {
    let width = x.extent(-1)
    let q = try queryKeyValue(norm1(x), outputs: 0..<width)
    return try q.reshaped([x.extent(0), x.extent(1), heads, width / heads]).permuted([0, 2, 1, 3])
  }
}
