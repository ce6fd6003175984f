package import BanyanTensor

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

/// `x Wᵀ + b`.
struct Linear: Sendable {
  let weight: Tensor
  let bias: Tensor?

  init(_ tree: ParameterTree, _ path: String, hasBias: Bool = true) throws {
    weight = try tree.require("\(path).weight")
    bias = hasBias ? try tree.require("\(path).bias") : nil
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor { try x.linear(weight, bias) }
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

  init(_ tree: ParameterTree, _ path: String, _ configuration: CLIPConfiguration.Transformer) throws {
    norm1 = try LayerNorm(tree, "\(path).norm1", epsilon: configuration.epsilon)
    queryKeyValue = try Linear(tree, "\(path).attention.qkv")
    output = try Linear(tree, "\(path).attention.output")
    norm2 = try LayerNorm(tree, "\(path).norm2", epsilon: configuration.epsilon)
    mlpInput = try Linear(tree, "\(path).mlp.input")
    mlpOutput = try Linear(tree, "\(path).mlp.output")
    heads = configuration.heads
    activation = configuration.activation
  }

  /// The block over [rows, tokens, width].
  package func callAsFunction(_ x: Tensor, causal: Bool) throws -> Tensor {
    try feedForward(x + attention(norm1(x), causal: causal))
  }

  /// Self-attention alone, without norm and residual: [rows, tokens, width].
  package func attention(_ x: Tensor, causal: Bool) throws -> Tensor {
    let (queries, keys, values) = try split(queryKeyValue(x))
    let mixed = try queries.attention(keys: keys, values: values, causal: causal)  // [rows, heads, tokens, d]
    return try output(merge(mixed))
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
    let weight = try queryKeyValue.weight.narrowed(0, start: width, length: 2 * width)
    let bias = try queryKeyValue.bias?.narrowed(0, start: width, length: 2 * width)
    let kv = try norm1(x).linear(weight, bias)
    let parts = try kv.reshaped([x.extent(0), x.extent(1), 2, heads, width / heads]).permuted([2, 0, 3, 1, 4])
    return (try parts.select(0, 0), try parts.select(0, 1))
  }

  /// Queries alone, [rows, heads, tokens, d].
  func queries(_ x: Tensor) throws -> Tensor {
    let width = x.extent(-1)
    let weight = try queryKeyValue.weight.narrowed(0, start: 0, length: width)
    let bias = try queryKeyValue.bias?.narrowed(0, start: 0, length: width)
    let q = try norm1(x).linear(weight, bias)
    return try q.reshaped([x.extent(0), x.extent(1), heads, width / heads]).permuted([0, 2, 1, 3])
  }
}
