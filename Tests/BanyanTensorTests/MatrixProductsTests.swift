import BanyanTensor
import BanyanTestSupport
import Testing

/// Both libraries that multiply, against the same in double precision.
@Suite struct MatrixProductsTests {
  static let libraries: [MatrixProducts] = [.automatic, .blas, .oneDNN]

  private func parameter(_ shape: [Int], _ label: String, scale: Double = 1) throws -> Tensor {
    try random(shape, label, scale: scale).to(.float32).asParameter()
  }

  private func exact(_ x: Tensor) throws -> Tensor { try x.detached().to(.float64).asParameter() }

  /// Large enough for oneDNN to be chosen where it is faster, and small.
  @Test(arguments: libraries, [(130, 96, 128), (3, 5, 7), (1, 64, 1), (16, 768, 96)])
  func `linear and its gradients`(_ library: MatrixProducts, _ size: (rows: Int, into: Int, out: Int)) throws {
    let leaves = [
      try parameter([size.rows, size.into], "x"), try parameter([size.out, size.into], "w"),
      try parameter([size.out], "b"),
    ]
    let cotangent = try random([size.rows, size.out], "dy")
    func run(_ leaves: [Tensor], _ dtype: DType) throws -> [Tensor] {
      let y = try Engine.withGradients { try leaves[0].linear(leaves[1], leaves[2], products: library) }
      return [try y.detached()] + (try Gradients.of([y], cotangents: [cotangent.to(dtype)], with: leaves))
    }
    let (found, expected) = (try run(leaves, .float32), try run(leaves.map(exact), .float64))
    for (place, name) in ["y", "dx", "dw", "db"].enumerated() {
      try agree(found[place], expected[place], name, within: .at(.operation))
    }
  }

  @Test(arguments: libraries)
  func `views, three axes, no bias, nothing recorded`(_ library: MatrixProducts) throws {
    let whole = try random([6, 40, 128], "x").to(.float32)
    let weight = try random([256, 300], "w").to(.float32)
    // The class token of every row; every second row; a transposed weight that is part of another.
    for (name, x) in [
      ("select", try whole.select(1, 3)), ("narrow", try whole.narrowed(1, start: 7, length: 20)),
      ("turned", try whole.permuted([1, 0, 2])), ("whole", whole),
    ] {
      let w = try weight.narrowed(1, start: 11, length: 128)
      let expected = try x.to(.float64).linear(w.to(.float64))
      let found = try Engine.withoutGradients { try x.linear(w, products: library) }
      try agree(found, expected, name, within: .at(.operation))
    }
    let turned = try weight.narrowed(0, start: 0, length: 128).transposed()  // [300, 128]
    try agree(
      whole.linear(turned, products: library), whole.to(.float64).linear(turned.to(.float64)), "turned weight",
      within: .at(.operation))
  }

  @Test(arguments: libraries)
  func `biases that lie apart, or are one number many times`(_ library: MatrixProducts) throws {
    let (x, weight) = (try random([300, 128], "x").to(.float32), try random([128, 128], "w").to(.float32))
    let biases = [
      try random([128, 3], "b").to(.float32).select(1, 1), try random([1], "c").to(.float32).expanded([128]),
    ]
    for bias in biases {
      let expected = try x.to(.float64).linear(weight.to(.float64), bias.to(.float64))
      try agree(x.linear(weight, bias, products: library), expected, "with bias", within: .at(.operation))
    }
  }

  /// A step between a graph's making and its use changes what that gradient does not need.
  @Test(arguments: libraries)
  func `only what a gradient needs is held`(_ library: MatrixProducts) throws {
    let (x, weight) = (try random([300, 128], "x").to(.float32), try parameter([128, 128], "w"))
    let loss = try Engine.withGradients { try x.linear(weight, products: library).sum() }
    let before = try Gradients.of([loss], with: [weight], retainingGraph: true)[0].clone()
    try Optimizer(.sgd(momentum: 0, weightDecay: 0, nesterov: false), parameters: ParameterTree(["w": weight]), rate: 1)
      .step(ParameterTree(["w": before]), rate: 1)
    #expect(try Gradients.of([loss], with: [weight])[0].isIdentical(to: before))
  }

  @Test(arguments: libraries)
  func `numbers that are none stay none`(_ library: MatrixProducts) throws {
    let width = 64
    func weight(_ shape: [Int], _ label: String) throws -> Tensor { try random(shape, label, scale: 0.3).to(.float32) }
    let (qkv, bias) = (try weight([192, width], "qkv"), try weight([192], "qb"))
    let affine: FusedBlock.Affine = (try weight([width, width], "o"), try weight([width], "ob"))
    let norm: FusedBlock.Affine = (try .full([width], 1), try .zeros([width]))
    let block = try FusedBlock(
      norm1: norm, queryKeyValue: (qkv, bias), output: affine, norm2: norm, mlpInput: affine, mlpOutput: affine,
      heads: 2,
      epsilon: 1e-5, activation: .quickGELU, products: library)
    var numbers = try weight([2, 20, width], "x").floats()
    numbers[3 * width + 5] = .nan
    let x = try Tensor(numbers, shape: [2, 20, width]).asParameter()
    let y = try Engine.withGradients { try block(x) }
    let gradient = try Gradients.of([y.sum()], with: [x])[0]
    // Every token of the first row sees the broken one; the second row is whole.
    #expect(try y.select(0, 0).floats().allSatisfy(\.isNaN) && y.select(0, 1).floats().allSatisfy(\.isFinite))
    #expect(
      try gradient.select(0, 0).floats().allSatisfy(\.isNaN) && gradient.select(0, 1).floats().allSatisfy(\.isFinite))
  }

  @Test(arguments: libraries)
  func `what does not fit is an error`(_ library: MatrixProducts) throws {
    let x = try Tensor.zeros([300, 128])
    #expect(throws: (any Error).self) { try x.linear(.zeros([128, 127]), products: library) }
    #expect(throws: (any Error).self) { try x.linear(.zeros([128, 128]), .zeros([127]), products: library) }
    #expect(throws: (any Error).self) { try x.linear(.zeros([128, 128], dtype: .float64), products: library) }
  }

  struct Shape: Sendable, CustomTestStringConvertible {
    var rows: Int, tokens: Int, prompts: Int, wanted: Int, heads: Int, trained: Bool
    var testDescription: String {
      "\(rows) × \(tokens), \(prompts) prompts, \(wanted) wanted, \(heads) heads, \(trained ? "trained" : "frozen")"
    }
  }

  static let shapes = [
    Shape(rows: 2, tokens: 5, prompts: 0, wanted: 5, heads: 1, trained: false),
    Shape(rows: 3, tokens: 50, prompts: 7, wanted: 50, heads: 2, trained: false),
    Shape(rows: 2, tokens: 101, prompts: 3, wanted: 101, heads: 4, trained: true),
    Shape(rows: 2, tokens: 16, prompts: 16, wanted: 1, heads: 1, trained: false),
    Shape(rows: 1, tokens: 1, prompts: 1, wanted: 1, heads: 2, trained: true),
    Shape(rows: 2, tokens: 30, prompts: 4, wanted: 11, heads: 4, trained: true),
    // Around the width of a register, and of as many tokens as are in work at once.
    Shape(rows: 2, tokens: 1, prompts: 0, wanted: 1, heads: 4, trained: false),
    Shape(rows: 2, tokens: 15, prompts: 0, wanted: 15, heads: 4, trained: false),
    Shape(rows: 2, tokens: 16, prompts: 0, wanted: 16, heads: 4, trained: false),
    Shape(rows: 1, tokens: 17, prompts: 0, wanted: 17, heads: 2, trained: true),
    Shape(rows: 2, tokens: 47, prompts: 1, wanted: 47, heads: 4, trained: false),
    Shape(rows: 1, tokens: 49, prompts: 0, wanted: 49, heads: 1, trained: true),
    // Heads of eight numbers, which our own attention does not take.
    Shape(rows: 2, tokens: 9, prompts: 2, wanted: 9, heads: 8, trained: false),
  ]

  @Test(arguments: libraries, shapes)
  func `a block and its gradients`(_ library: MatrixProducts, _ shape: Shape) throws {
    let weights = try Self.weights(trained: shape.trained)
    let x = try parameter([shape.rows, shape.tokens, Self.width], "x")
    let prompts = shape.prompts == 0 ? nil : try parameter([1, shape.prompts, Self.width], "p")
    let block = try Self.fused(weights, heads: shape.heads, library)
    let y = try Engine.withGradients { try block(x, prompts: prompts, wanted: shape.wanted) }
    try agreesWithPlain(y, inputs: [x] + (prompts.map { [$0] } ?? []), weights) { inputs, weights in
      let whole = try Self.plain(
        inputs[0], prompts: prompts == nil ? nil : inputs[1], weights, heads: shape.heads)
      return try whole.narrowed(1, start: 0, length: shape.wanted)
    }
  }

  // Eight bits, and six products after each other; as many again backward.
  private static let rounded = (output: Tolerance(6 * 0x1p-8), gradient: Tolerance(12 * 0x1p-8))

  @Test(arguments: libraries, shapes.filter { !$0.trained })
  func `a block in bf16 and its gradients`(_ library: MatrixProducts, _ shape: Shape) throws {
    let weights = try Self.weights(trained: false)
    let x = try parameter([shape.rows, shape.tokens, Self.width], "x")
    let prompts = shape.prompts == 0 ? nil : try parameter([1, shape.prompts, Self.width], "p")
    let block = try Self.fused(weights, heads: shape.heads, library, precision: .bfloat16)
    let y = try Engine.withGradients { try block(x, prompts: prompts, wanted: shape.wanted) }
    func plain(_ inputs: [Tensor], _ weights: [Tensor]) throws -> Tensor {
      try Self.plain(inputs[0], prompts: prompts == nil ? nil : inputs[1], weights, heads: shape.heads)
        .narrowed(1, start: 0, length: shape.wanted)
    }
    let inputs = [x] + (prompts.map { [$0] } ?? [])
    try agreesWithPlain(y, inputs: inputs, weights, within: Self.rounded, plain)
    // Where no gradient follows attention may be another.
    let alone = try Engine.withoutGradients { try block(x, prompts: prompts, wanted: shape.wanted) }
    let exact = try plain(inputs.map { try $0.detached().to(.float64) }, weights.map { try $0.to(.float64) })
    try agree(alone, exact, "without gradients", within: Self.rounded.output)
  }

  /// What a gradient needs is kept in single precision, what none needs goes on in bf16, where a processor with units for tiles
  /// rounds the shares of a softmax too: either way the same but for the last bit.
  @Test(arguments: libraries, shapes.filter { !$0.trained } + tiles)
  func `attention in bf16 is the same whatever is kept`(_ library: MatrixProducts, _ shape: Shape) throws {
    try keepsAttention(Self.weights(trained: false), shape, library)
  }

  /// A block in bf16 of which attention alone is left: what it adds to its input.
  private func keepsAttention(_ weights: [Tensor], _ shape: Shape, _ library: MatrixProducts) throws {
    var weights = weights
    let identity = (0..<Self.width * Self.width).map { Float($0 % (Self.width + 1) == 0 ? 1 : 0) }
    weights[4] = try Tensor(identity, shape: [Self.width, Self.width])
    for place in [5, 10, 11] { weights[place] = try .zeros(weights[place].shape) }
    let block = try Self.fused(weights, heads: shape.heads, library, precision: .bfloat16)
    let x = try parameter([shape.rows, shape.tokens, Self.width], "x")
    let prompts = shape.prompts == 0 ? nil : try parameter([1, shape.prompts, Self.width], "p")
    let input = try x.detached().narrowed(1, start: 0, length: shape.wanted)
    let kept = try Engine.withGradients { try block(x, prompts: prompts, wanted: shape.wanted) }.detached() - input
    let left = try Engine.withoutGradients { try block(x, prompts: prompts, wanted: shape.wanted) } - input
    // The last place of the largest number.
    try agree(left, kept, "rows", within: Tolerance(0x1p-7))
  }

  /// Around the sixteen rows and the 32 numbers of tiles, with one token that asks and with the tokens of a ViT-B/16.
  static let tiles =
    [31, 32, 33, 63, 64, 65].flatMap { tokens in
      [
        Shape(rows: 2, tokens: tokens, prompts: 0, wanted: tokens, heads: 1, trained: false),
        Shape(rows: 2, tokens: tokens, prompts: 5, wanted: tokens - 7, heads: 2, trained: false),
      ]
    } + [
      Shape(rows: 3, tokens: 197, prompts: 0, wanted: 1, heads: 1, trained: false),
      Shape(rows: 2, tokens: 197, prompts: 16, wanted: 197, heads: 1, trained: false),
    ]

  /// All scores far below zero and equal: what is no key, and was taken for one, would have the whole softmax.
  @Test(arguments: libraries, tiles)
  func `attention in bf16 sees keys alone`(_ library: MatrixProducts, _ shape: Shape) throws {
    var weights = try Self.weights(trained: false)
    let half = 2 * Self.width
    let values = try weights[2].narrowed(0, start: half, length: Self.width)
    weights[2] = try .concatenated([.zeros([half, Self.width]), values], axis: 0)
    let bias = try weights[3].narrowed(0, start: half, length: Self.width)
    let away = (0..<half).map { Float($0 < Self.width ? 3 : -3) }
    weights[3] = try .concatenated([Tensor(away, shape: [half]), bias], axis: 0)
    try keepsAttention(weights, shape, library)
  }

  @Test(arguments: [1, 2, 4])
  func `in bf16 a row without numbers leaves the others alone`(_ heads: Int) throws {
    let block = try Self.fused(try Self.weights(trained: false), heads: heads, .automatic, precision: .bfloat16)
    // Several behind each other in the room of one thread.
    let rows = try (0..<32).map { try random([1, 37, Self.width], "x\($0)").to(.float32) }
    let damaged = try rows.enumerated().map { $0 % 2 == 0 ? $1 : try $1 * .nan }
    let whole = try block(Tensor.concatenated(rows, axis: 0))
    let found = try block(Tensor.concatenated(damaged, axis: 0))
    for row in rows.indices {
      let part = try found.narrowed(0, start: row, length: 1)
      if row % 2 == 0 {
        #expect(try part.isIdentical(to: whole.narrowed(0, start: row, length: 1)))
      } else {
        #expect(try part.doubles().allSatisfy(\.isNaN))
      }
    }
  }

  /// Scores of several hundred: where another than the largest were taken off, an exponential would be infinite.
  @Test(arguments: libraries, [1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 70])
  func `one score may be far beyond the others`(_ library: MatrixProducts, _ tokens: Int) throws {
    var weights = try Self.weights(trained: false)
    // Keys and queries alone.
    let sharp = try weights[2].narrowed(0, start: 0, length: 2 * Self.width) * 6
    weights[2] = try .concatenated([sharp, weights[2].narrowed(0, start: 2 * Self.width, length: Self.width)], axis: 0)
    let exact = try weights.map { try $0.to(.float64) }
    let block = try Self.fused(weights, heads: 2, library)
    let x = try random([3, tokens, Self.width], "x").to(.float32)
    let y = try Engine.withGradients { try block(x.asParameter()) }
    let expected = try Self.plain(x.to(.float64), prompts: nil, exact, heads: 2)
    // A score of some hundred is rounded by 1e-5, and so is the share that it stands for.
    try agree(y.detached(), expected, "rows", within: Tolerance(1e-4))
    try keepsAttention(
      weights, Shape(rows: 3, tokens: tokens, prompts: 0, wanted: tokens, heads: 2, trained: false), library)
    // The last token is a name of its own.
    guard tokens > 1 else { return }
    let text = try Engine.withGradients {
      try block.texts(x.asParameter(), prefix: tokens - 1, names: [(count: 1, length: 1)], endsOnly: false)
    }
    let causal = try Self.plain(x.to(.float64), prompts: nil, exact, heads: 2, causal: true)
    try agree(text.detached(), causal, "texts", within: Tolerance(1e-4))
  }

  struct TextShape: Sendable, CustomTestStringConvertible {
    var prompts: Int, prefix: Int, names: [(count: Int, length: Int)], heads: Int, endsOnly: Bool, trained: Bool
    var packed = false
    var tokens: Int { names.reduce(prefix) { $0 + $1.count * $1.length } }
    var testDescription: String {
      "\(prompts) × (\(prefix) + \(names.map { "\($0.count) × \($0.length)" }.joined(separator: " + "))), "
        + "\(heads) heads, \(endsOnly ? "ends" : "all tokens"), \(trained ? "trained" : "frozen")\(packed ? ", packed" : "")"
    }
  }

  static let textShapes = [false, true].flatMap { endsOnly in
    [
      TextShape(prompts: 1, prefix: 1, names: [(1, 1)], heads: 1, endsOnly: endsOnly, trained: false),
      TextShape(prompts: 3, prefix: 17, names: [(4, 2), (1, 3), (5, 7)], heads: 2, endsOnly: endsOnly, trained: false),
      // Long enough for oneDNN to be chosen.
      TextShape(prompts: 2, prefix: 9, names: [(20, 3), (11, 5)], heads: 4, endsOnly: endsOnly, trained: true),
      TextShape(prompts: 2, prefix: 4, names: [(2, 3), (1, 6)], heads: 8, endsOnly: endsOnly, trained: true),
      // Packed: as many rows as MKL's form is for, too few for it, too many, and trained weights, which never are.
      TextShape(
        prompts: 2, prefix: 9, names: [(140, 2), (30, 5)], heads: 2, endsOnly: endsOnly, trained: false, packed: true),
      TextShape(
        prompts: 3, prefix: 9, names: [(140, 2), (30, 5)], heads: 2, endsOnly: endsOnly, trained: false, packed: true),
      TextShape(prompts: 2, prefix: 9, names: [(6, 5)], heads: 4, endsOnly: endsOnly, trained: false, packed: true),
      TextShape(
        prompts: 1, prefix: 9, names: [(140, 2)], heads: 2, endsOnly: endsOnly, trained: true, packed: true),
    ]
  }

  @Test(arguments: libraries, textShapes)
  func `a block over texts and its gradients`(_ library: MatrixProducts, _ shape: TextShape) throws {
    try texts(library, shape)
  }

  @Test(arguments: libraries, textShapes.filter { !$0.trained })
  func `a block over texts in bf16 and its gradients`(_ library: MatrixProducts, _ shape: TextShape) throws {
    try texts(library, shape, precision: .bfloat16, within: Self.rounded)
  }

  private func texts(
    _ library: MatrixProducts, _ shape: TextShape, precision: DType = .float32,
    within bounds: (output: Tolerance, gradient: Tolerance) = (.at(.tower), .at(.gradient))
  ) throws {
    let weights = try Self.weights(trained: shape.trained)
    let x = try parameter([shape.prompts, shape.tokens, Self.width], "x")
    let block = try Self.fused(weights, heads: shape.heads, library, precision: precision)
    let y = try Engine.withGradients {
      try block.texts(x, prefix: shape.prefix, names: shape.names, endsOnly: shape.endsOnly, packed: shape.packed)
    }
    try agreesWithPlain(y, inputs: [x], weights, within: bounds) { inputs, weights in
      // Every name behind the prefix, alone.
      let prefix = try inputs[0].narrowed(1, start: 0, length: shape.prefix)
      var parts =
        shape.endsOnly ? [] : [try Self.plain(prefix, prompts: nil, weights, heads: shape.heads, causal: true)]
      var start = shape.prefix
      for length in shape.names.flatMap({ Array(repeating: $0.length, count: $0.count) }) {
        let row = try Tensor.concatenated([prefix, inputs[0].narrowed(1, start: start, length: length)], axis: 1)
        let out = try Self.plain(row, prompts: nil, weights, heads: shape.heads, causal: true)
        let wanted = shape.endsOnly ? 1 : length
        parts.append(try out.narrowed(1, start: shape.prefix + length - wanted, length: wanted))
        start += length
      }
      return try .concatenated(parts, axis: 1)
    }
  }

  /// Another number of rows, and the first again.
  @Test(arguments: libraries)
  func `what is packed depends on no call before it`(_ library: MatrixProducts) throws {
    let weights = try Self.weights(trained: false)
    let shapes = [60, 200, 60].map { names in
      TextShape(
        prompts: 2, prefix: 5, names: [(names, 2)], heads: 2, endsOnly: false, trained: false, packed: true)
    }
    func results(_ block: FusedBlock, _ shape: TextShape, packed: Bool = true) throws -> [Tensor] {
      let x = try parameter([shape.prompts, shape.tokens, Self.width], "x")
      let y = try Engine.withGradients {
        try block.texts(x, prefix: shape.prefix, names: shape.names, endsOnly: shape.endsOnly, packed: packed)
      }
      return [try y.detached()]
        + (try Gradients.of([y], cotangents: [random(y.shape, "dy").to(.float32)], with: [x]))
    }
    let used = try Self.fused(weights, heads: 2, library)
    for shape in shapes {
      let found = try results(used, shape)
      let fresh = try results(try Self.fused(weights, heads: 2, library), shape)
      let plain = try results(used, shape, packed: false)
      for (place, name) in ["y", "dx"].enumerated() {
        #expect(try found[place].floats() == fresh[place].floats(), "\(name) of \(shape)")
        try agree(found[place], plain[place].to(.float64), name, within: .at(.operation))
      }
    }
  }

  private static let width = 64

  private static func weights(trained: Bool) throws -> [Tensor] {
    let inner = 96
    let sizes: [[Int]] = [
      [width], [width], [3 * width, width], [3 * width], [width, width], [width], [width], [width], [inner, width],
      [inner], [width, inner], [width],
    ]
    return try sizes.enumerated().map { place, size in
      let weight = try random(size, "w\(place)", scale: 0.3, shift: place == 0 || place == 6 ? 1 : 0).to(.float32)
      return trained ? try weight.asParameter() : weight
    }
  }

  private static func fused(
    _ w: [Tensor], heads: Int, _ library: MatrixProducts, precision: DType = .float32
  ) throws -> FusedBlock {
    try FusedBlock(
      norm1: (w[0], w[1]), queryKeyValue: (w[2], w[3]), output: (w[4], w[5]), norm2: (w[6], w[7]),
      mlpInput: (w[8], w[9]), mlpOutput: (w[10], w[11]), heads: heads, epsilon: 1e-5, activation: .quickGELU,
      precision: precision, products: library)
  }

  /// The result, and the gradients of inputs and trained weights, against single ops in double precision.
  private func agreesWithPlain(
    _ y: Tensor, inputs: [Tensor], _ weights: [Tensor],
    within bounds: (output: Tolerance, gradient: Tolerance) = (.at(.tower), .at(.gradient)),
    _ plain: ([Tensor], [Tensor]) throws -> Tensor
  ) throws {
    let cotangent = try random(y.shape, "dy")
    let trained = weights[0].requiresGradient ? weights : []
    let leaves = inputs + trained
    let found = [try y.detached()] + (try Gradients.of([y], cotangents: [cotangent.to(.float32)], with: leaves))
    let exactLeaves = try leaves.map(exact)
    let exactWeights =
      trained.isEmpty ? try weights.map { try $0.to(.float64) } : Array(exactLeaves.suffix(weights.count))
    let z = try Engine.withGradients { try plain(Array(exactLeaves.prefix(inputs.count)), exactWeights) }
    let expected = [try z.detached()] + (try Gradients.of([z], cotangents: [cotangent], with: exactLeaves))
    for (place, (a, b)) in zip(found, expected).enumerated() {
      try agree(
        a, b, place == 0 ? "output" : "gradient \(place)", within: place == 0 ? bounds.output : bounds.gradient)
    }
  }

  /// The block out of single ops; prompts are tokens in front whose outputs are dropped.
  private static func plain(_ x: Tensor, prompts: Tensor?, _ w: [Tensor], heads: Int, causal: Bool = false) throws
    -> Tensor
  {
    let (rows, width, count) = (x.extent(0), x.extent(2), prompts?.extent(1) ?? 0)
    let all = try prompts.map { try Tensor.concatenated([$0.expanded([rows, count, width]), x], axis: 1) } ?? x
    let tokens = all.extent(1)
    let parts = try all.layerNorm(w[0], w[1], epsilon: 1e-5).linear(w[2], w[3])
      .reshaped([rows, tokens, 3, heads, width / heads]).permuted([2, 0, 3, 1, 4])
    let mixed = try parts.select(0, 0).attention(keys: parts.select(0, 1), values: parts.select(0, 2), causal: causal)
      .permuted([0, 2, 1, 3]).reshaped([rows, tokens, width])
    let middle = try all + mixed.linear(w[4], w[5])
    let inner = try middle.layerNorm(w[6], w[7], epsilon: 1e-5).linear(w[8], w[9]).quickGELU()
    return try (middle + inner.linear(w[10], w[11])).narrowed(1, start: count, length: tokens - count)
  }
}
