import CTorch

extension Tensor {
  /// `x Wᵀ + b`, with `weight` [out, in] and `bias` [out].
  public func linear(_ weight: Tensor, _ bias: Tensor? = nil, products: MatrixProducts = .automatic) throws -> Tensor {
    try produce { ct_linear(handle, weight.handle, bias?.handle, products.engineValue, $0) }
  }

  /// `(x − mean) / √(variance + ε) · weight + bias` over the last axis.
  public func layerNorm(_ weight: Tensor, _ bias: Tensor, epsilon: Double) throws -> Tensor {
    try produce { ct_layer_norm(handle, weight.handle, bias.handle, epsilon, $0) }
  }

  /// The two-dimensional convolution of [batch, channels, height, width] with `weight` [out, channels, kh, kw].
  public func convolution2D(_ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0) throws -> Tensor
  {
    try produce { ct_conv2d(handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), $0) }
  }

  /// What a convolution multiplies its filters with: every window of [batch, channels, height, width] as a row,
  /// [batch, places, channels · kernel²].
  public func windows(kernel: Int, stride: Int = 1, padding: Int = 0) throws -> Tensor {
    try produce { ct_windows(handle, Int64(kernel), Int64(stride), Int64(padding), $0) }
  }

  /// The largest value in every window of [batch, channels, height, width].
  public func maxPooled(kernel: Int, stride: Int, padding: Int = 0) throws -> Tensor {
    try produce { ct_max_pool2d(handle, Int64(kernel), Int64(stride), Int64(padding), $0) }
  }

  /// `softmax(q kᵀ / √d + mask) v` with this tensor as `q`; shapes [..., tokens, d].
  ///
  /// `causal` lets a token see itself and those before it; it needs as many queries as keys.
  public func attention(keys: Tensor, values: Tensor, mask: Tensor? = nil, causal: Bool = false) throws -> Tensor {
    try produce { ct_attention(handle, keys.handle, values.handle, mask?.handle, causal, $0) }
  }

  /// The mean cross-entropy of these logits [rows, classes] against `labels` [rows].
  public func crossEntropy(_ labels: Tensor) throws -> Tensor {
    try produce { ct_cross_entropy(handle, labels.handle, $0) }
  }
}
