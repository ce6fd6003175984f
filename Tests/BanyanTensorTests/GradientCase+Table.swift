import BanyanTensor

extension GradientCase {
  /// Every differentiable op; a new op is one line here, and a test refuses the header's ops that are absent.
  static let all = elementwise + reductions + shapes + layers

  private static let points: @Sendable () throws -> [Tensor] = { try [random([3, 4], "points", scale: 2)] }
  private static let above: @Sendable () throws -> [Tensor] = { try [positive([3, 4], "above")] }
  /// Both signs and no kink nearby.
  private static let apart: @Sendable () throws -> [Tensor] = {
    try [.concatenated([positive([2, 4], "right"), -positive([2, 4], "left")], axis: 0)]
  }
  /// −8 to 8 in steps of 0.25, the far tails of the activations included.
  private static let line: @Sendable () throws -> [Tensor] = {
    try [Tensor((-32...32).map { Double($0) / 4 }, shape: [65])]
  }
  private static func pair(_ a: [Int], _ b: [Int]) -> @Sendable () throws -> [Tensor] {
    { try [random(a, "a"), positive(b, "b")] }
  }

  private static let elementwise: [GradientCase] = [
    .init("negate", "CT_NEGATE", operands: points) { try -$0[0] },
    .init("exp", "CT_EXP", operands: points) { try $0[0].exp() },
    .init("log", "CT_LOG", operands: above) { try $0[0].log() },
    .init("sqrt", "CT_SQRT", operands: above) { try $0[0].sqrt() },
    .init("abs", "CT_ABS", operands: apart) { try $0[0].abs() },
    .init("tanh", "CT_TANH", operands: line) { try $0[0].tanh() },
    .init("sigmoid", "CT_SIGMOID", operands: line) { try $0[0].sigmoid() },
    .init("relu", "CT_RELU", operands: apart) { try $0[0].relu() },
    .init("gelu", "CT_GELU", operands: line) { try $0[0].gelu() },
    .init("quick-GELU", "CT_QUICK_GELU", operands: line) { try $0[0].quickGELU() },
    .init("quick-GELU of a strided operand", operands: points) { try $0[0].transposed().quickGELU() },
    .init("square", "CT_SQUARE", operands: points) { try $0[0].squared() },
    .init("add", "CT_ADD", operands: pair([2, 3], [2, 3])) { try $0[0] + $0[1] },
    .init("add, broadcast", operands: pair([2, 1, 3], [4, 1])) { try $0[0] + $0[1] },
    .init("subtract, broadcast", "CT_SUBTRACT", operands: pair([2, 3], [1, 3])) { try $0[0] - $0[1] },
    .init("multiply, broadcast", "CT_MULTIPLY", operands: pair([2, 1, 3], [4, 1])) { try $0[0] * $0[1] },
    .init("multiply by itself", operands: points) { try $0[0] * $0[0] },
    .init("divide, broadcast", "CT_DIVIDE", operands: pair([2, 1, 3], [4, 3])) { try $0[0] / $0[1] },
    .init("matmul", "CT_MATMUL", operands: pair([3, 4], [4, 2])) { try $0[0].matmul($0[1]) },
    .init("matmul, batched", operands: pair([2, 3, 4], [2, 4, 2])) { try $0[0].matmul($0[1]) },
    .init("matmul, batches broadcast", operands: pair([2, 1, 3, 4], [3, 4, 2])) { try $0[0].matmul($0[1]) },
    .init("matmul of vectors", operands: pair([4], [4])) { try $0[0].matmul($0[1]) },
    .init("affine", "ct_affine", operands: points) { try $0[0].affine(scale: -1.5, shift: 0.25) },
    .init("scale and shift by numbers", operands: points) { try ($0[0] * 3 + 0.5) },
  ]

  private static let reductions: [GradientCase] = [
    .init("sum of all", "ct_sum", operands: points) { try $0[0].sum() },
    .init("sum over axes", operands: { try [random([2, 3, 4], "s")] }) { try $0[0].sum([0, -1]) },
    .init("sum, axes kept", operands: { try [random([2, 3, 4], "s")] }) { try $0[0].sum([1], keepingAxes: true) },
    .init("mean of all", "ct_mean", operands: points) { try $0[0].mean() },
    .init("mean over axes", operands: { try [random([2, 3, 4], "s")] }) { try $0[0].mean([0, 2]) },
    .init("mean, axes kept", operands: { try [random([2, 3, 4], "s")] }) { try $0[0].mean([-2], keepingAxes: true) },
    .init("softmax", "ct_softmax", operands: points) { try $0[0].softmax() },
    .init("softmax over the first axis", operands: points) { try $0[0].softmax(0) },
    .init("log-softmax", "ct_log_softmax", operands: points) { try $0[0].logSoftmax() },
    .init("log-softmax over the first axis", operands: points) { try $0[0].logSoftmax(0) },
    .init("normalize", "ct_normalize", operands: points) { try $0[0].normalized() },
    .init("normalize over the first axis", operands: points) { try $0[0].normalized(0) },
  ]

  private static let shapes: [GradientCase] = [
    .init("reshape", "ct_reshape", operands: points) { try $0[0].reshaped([2, -1]) },
    .init("reshape of a strided operand", operands: points) { try $0[0].transposed().reshaped([6, 2]) },
    .init("permute", "ct_permute", operands: { try [random([2, 3, 4], "p")] }) { try $0[0].permuted([2, 0, 1]) },
    .init("transpose", "ct_transpose", operands: points) { try $0[0].transposed() },
    .init("expand", "ct_expand", operands: { try [random([3, 1], "e")] }) { try $0[0].expanded([2, -1, 4]) },
    .init("narrow", "ct_narrow", operands: points) { try $0[0].narrowed(-1, start: 1, length: 2) },
    .init("select", operands: points) { try $0[0].select(-1, 2) },
    .init("gather with repeats", "ct_index_select", operands: points) { try $0[0].gathered(1, .indices([3, 0, 3])) },
    .init("concatenate", "ct_cat", operands: pair([2, 3], [2, 2])) {
      try .concatenated([$0[0], $0[1], $0[0]], axis: 1)
    },
    .init("concatenate one", operands: points) { try .concatenated([$0[0]], axis: 1) },
    .init("stack", "ct_stack", operands: pair([2, 3], [2, 3])) { try .stacked([$0[0], $0[1]], axis: -1) },
    .init("clone", operands: points) { try $0[0].clone() },
  ]

  private static func images() throws -> [Tensor] {
    try [random([2, 3, 5, 6], "images"), random([4, 3, 2, 2], "kernel"), random([4], "bias")]
  }
  private static func tokens(_ queries: Int, _ keys: Int) throws -> [Tensor] {
    try [random([2, 3, queries, 4], "q"), random([2, 3, keys, 4], "k"), random([2, 3, keys, 4], "v")]
  }

  private static let layers: [GradientCase] = [
    .init("linear", "ct_linear", operands: pair([2, 3, 4], [5, 4])) { try $0[0].linear($0[1]) },
    .init("linear with bias", operands: { try [random([3, 4], "x"), random([5, 4], "w"), random([5], "b")] }) {
      try $0[0].linear($0[1], $0[2])
    },
    .init(
      "layer norm", "ct_layer_norm",
      operands: { try [random([2, 3, 6], "x", scale: 2, shift: 1), positive([6], "w"), random([6], "b")] }
    ) { try $0[0].layerNorm($0[1], $0[2], epsilon: 1e-5) },
    .init("convolution", "ct_conv2d", operands: images) { try $0[0].convolution2D($0[1], $0[2]) },
    .init("convolution with stride and padding", operands: images) {
      try $0[0].convolution2D($0[1], $0[2], stride: 2, padding: 1)
    },
    .init("convolution of patches, no bias", operands: { try Array(images().prefix(2)) }) {
      try $0[0].convolution2D($0[1], stride: 2)
    },
    .init("windows", "ct_windows", operands: { try [random([2, 3, 5, 4], "x")] }) {
      try $0[0].windows(kernel: 3, stride: 2, padding: 1)
    },
    .init("the largest of windows", "ct_max_pool2d", operands: { try [random([2, 3, 6, 5], "x", scale: 5)] }) {
      try $0[0].maxPooled(kernel: 3, stride: 2, padding: 1)
    },
    .init("attention", "ct_attention", operands: { try tokens(3, 5) }) {
      try $0[0].attention(keys: $0[1], values: $0[2])
    },
    .init("attention, causal", operands: { try tokens(5, 5) }) {
      try $0[0].attention(keys: $0[1], values: $0[2], causal: true)
    },
    .init("attention with a mask", operands: { try tokens(2, 4) }) {
      let mask = try Tensor([0, 0, -1e30, -0.5, 0.25, -1e30, 0, 1], shape: [2, 4])
      return try $0[0].attention(keys: $0[1], values: $0[2], mask: mask)
    },
    .init("cross-entropy", "ct_cross_entropy", operands: points) { try $0[0].crossEntropy(.indices([3, 0, 2])) },
  ]
}
