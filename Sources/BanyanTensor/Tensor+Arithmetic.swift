import CTorch

extension Tensor {
  /// `a + b`, with broadcasting.
  public static func + (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(CT_ADD, b) }
  /// `a − b`, with broadcasting.
  public static func - (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(CT_SUBTRACT, b) }
  /// The element-wise product, with broadcasting.
  public static func * (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(CT_MULTIPLY, b) }
  /// The element-wise quotient, with broadcasting.
  public static func / (a: Tensor, b: Tensor) throws -> Tensor { try a.binary(CT_DIVIDE, b) }
  /// Each element times `b`.
  public static func * (a: Tensor, b: Double) throws -> Tensor { try a.affine(scale: b) }
  /// Each element plus `b`.
  public static func + (a: Tensor, b: Double) throws -> Tensor { try a.affine(shift: b) }
  /// Each element with its sign turned.
  public static prefix func - (a: Tensor) throws -> Tensor { try a.unary(CT_NEGATE) }

  /// `scale · x + shift`, element-wise.
  public func affine(scale: Double = 1, shift: Double = 0) throws -> Tensor {
    try produce { ct_affine(handle, scale, shift, $0) }
  }

  /// The matrix product of the last two axes, with broadcasting of the others.
  public func matmul(_ other: Tensor) throws -> Tensor { try binary(CT_MATMUL, other) }

  /// `eˣ`, element-wise.
  public func exp() throws -> Tensor { try unary(CT_EXP) }
  /// The natural logarithm, element-wise.
  public func log() throws -> Tensor { try unary(CT_LOG) }
  /// The square root, element-wise.
  public func sqrt() throws -> Tensor { try unary(CT_SQRT) }
  /// The absolute value, element-wise.
  public func abs() throws -> Tensor { try unary(CT_ABS) }
  /// `x²`, element-wise.
  public func squared() throws -> Tensor { try unary(CT_SQUARE) }
  /// The hyperbolic tangent, element-wise.
  public func tanh() throws -> Tensor { try unary(CT_TANH) }
  /// `1 / (1 + e⁻ˣ)`, element-wise.
  public func sigmoid() throws -> Tensor { try unary(CT_SIGMOID) }
  /// `max(x, 0)`, element-wise.
  public func relu() throws -> Tensor { try unary(CT_RELU) }
  /// `x Φ(x)` with the exact normal distribution function, element-wise.
  public func gelu() throws -> Tensor { try unary(CT_GELU) }
  /// `x · σ(1.702 x)`, element-wise: the activation of OpenAI's CLIP.
  public func quickGELU() throws -> Tensor { try unary(CT_QUICK_GELU) }

  private func unary(_ op: ct_unary_op) throws -> Tensor { try produce { ct_unary(op, handle, $0) } }

  private func binary(_ op: ct_binary_op, _ other: Tensor) throws -> Tensor {
    try produce { ct_binary(op, handle, other.handle, $0) }
  }
}

extension Tensor {
  /// The sum over `axes`; over all of them where none is given.
  public func sum(_ axes: [Int] = [], keepingAxes: Bool = false) throws -> Tensor {
    let axes = axes.map(Int64.init)
    return try produce { ct_sum(handle, axes, Int32(axes.count), keepingAxes, $0) }
  }

  /// The mean over `axes`; over all of them where none is given.
  public func mean(_ axes: [Int] = [], keepingAxes: Bool = false) throws -> Tensor {
    let axes = axes.map(Int64.init)
    return try produce { ct_mean(handle, axes, Int32(axes.count), keepingAxes, $0) }
  }

  /// The position of the largest element along `axis`.
  public func argmax(_ axis: Int) throws -> Tensor { try produce { ct_argmax(handle, Int64(axis), $0) } }

  /// `e^xᵢ / Σ e^xⱼ` along `axis`.
  public func softmax(_ axis: Int = -1) throws -> Tensor { try produce { ct_softmax(handle, Int64(axis), $0) } }

  /// The logarithm of the softmax along `axis`.
  public func logSoftmax(_ axis: Int = -1) throws -> Tensor {
    try produce { ct_log_softmax(handle, Int64(axis), $0) }
  }

  /// `x / ‖x‖₂` along `axis`.
  public func normalized(_ axis: Int = -1) throws -> Tensor { try produce { ct_normalize(handle, Int64(axis), $0) } }
}
