import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Testing

/// The image tower's fast way against its plain twin, element by element.
@Suite struct FusedBlockTests {
  static let models = ["tiny-clip", "tiny-clip-gelu"]

  private func pixels(_ clip: TinyCLIP, rows: Int = 3) throws -> Tensor {
    let side = clip.model.configuration.imageSize
    return try clip.normal([rows, 3, side, side], seed: 7)
  }

  private func prompts(_ clip: TinyCLIP, _ lengths: [Int: Int]) throws -> [Int: Tensor] {
    try Dictionary(
      uniqueKeysWithValues: lengths.map { layer, count in
        (
          layer,
          try clip.normal([1, count, clip.model.configuration.image.width], seed: UInt64(20 + layer)).asParameter()
        )
      })
  }

  @Test(arguments: models)
  func `features without gradients are those of the plain way`(_ name: String) throws {
    let clip = try TinyCLIP(name)
    for rows in [1, 3, 8] {
      let pixels = try pixels(clip, rows: rows)
      let (plain, fused) = try Engine.withoutGradients {
        (try clip.model.image.features(pixels, path: .plain), try clip.model.image.features(pixels, path: .fused))
      }
      try agree(fused, plain, "features of \(rows)", within: .at(.tower))
      // Once more, after the first time has prepared whatever is kept.
      let again = try Engine.withoutGradients { try clip.model.image.features(pixels, path: .fused) }
      #expect(try again.isIdentical(to: fused))
    }
  }

  /// At every layer, at the first one alone, from the middle on, of different lengths, with a gap, at the last one alone.
  @Test(
    arguments: models, [[0: 2, 1: 2, 2: 2], [0: 3], [1: 2, 2: 2], [0: 1, 1: 4, 2: 2], [0: 2, 2: 3], [2: 2], [1: 1]])
  func `gradients of prompts are those of the plain way`(_ name: String, _ lengths: [Int: Int]) throws {
    let clip = try TinyCLIP(name)
    let pixels = try pixels(clip)
    let prompts = try prompts(clip, lengths)
    let layers = prompts.keys.sorted()
    let cotangent = try clip.normal([3, clip.model.configuration.projectionWidth], seed: 5)
    func run(_ path: ImageTower.EncodingPath) throws -> (features: Tensor, gradients: [Tensor]) {
      let features = try Engine.withGradients {
        try clip.model.image.features(pixels, injection: PromptInjection(layers: prompts), path: path)
      }
      return (
        try features.detached(),
        try Gradients.of([features], cotangents: [cotangent], with: layers.compactMap { prompts[$0] })
      )
    }
    let (plain, fused) = (try run(.plain), try run(.fused))
    try agree(fused.features, plain.features, "features", within: .at(.tower))
    for (place, layer) in layers.enumerated() {
      try agree(fused.gradients[place], plain.gradients[place], "gradient of layer \(layer)", within: .at(.gradient))
    }
  }

  @Test(arguments: models)
  func `gradients of pixels are those of the plain way`(_ name: String) throws {
    let clip = try TinyCLIP(name)
    let pixels = try pixels(clip).asParameter()
    func gradient(_ path: ImageTower.EncodingPath) throws -> Tensor {
      let features = try Engine.withGradients { try clip.model.image.features(pixels, path: path) }
      return try Gradients.of([features.squared().sum()], with: [pixels])[0]
    }
    try agree(gradient(.fused), gradient(.plain), "gradient of the pixels", within: .at(.gradient))
  }

  @Test func `a graph may be asked for its gradients more than once, and after the model is gone`() throws {
    var clip: TinyCLIP? = try TinyCLIP()
    let injected = try prompts(try #require(clip), [0: 2, 1: 2])
    let tensors = [try #require(injected[0]), try #require(injected[1])]
    let features = try Engine.withGradients {
      let clip = try #require(clip)
      return try clip.model.image.features(pixels(clip), injection: PromptInjection(layers: injected)).squared().sum()
    }
    clip = nil
    let first = try Gradients.of([features], with: tensors, retainingGraph: true)
    let second = try Gradients.of([features], with: tensors)
    for (a, b) in zip(first, second) { #expect(try a.isIdentical(to: b)) }
  }

  /// A run that is gone on with may see another number of pictures or prompts first.
  @Test(arguments: [1, 5, 40])
  func `what was computed first does not change a bit of what comes after`(_ rows: Int) throws {
    let (fresh, used) = (try TinyCLIP(), try TinyCLIP())
    let contexts = try fresh.normal([1, 4, fresh.model.configuration.text.width], seed: 2, deviation: 0.1)
    let names = fresh.names(["cat", "red fox", "wooden chair"])
    try Engine.withoutGradients {
      _ = try used.model.image.features(pixels(used, rows: rows))
      _ = try used.model.text.features(used.names((0..<rows).map { "red fox \($0)" }))
    }
    func outcome(_ clip: TinyCLIP) throws -> [Tensor] {
      let (own, context) = (try prompts(clip, [0: 2, 1: 2]), try contexts.asParameter())
      let (images, texts) = try Engine.withGradients {
        (
          try clip.model.image.features(pixels(clip), injection: PromptInjection(layers: own)),
          try clip.model.text.features(names, injection: PromptInjection(layers: [0: context]))
        )
      }
      let leaves = [try #require(own[0]), try #require(own[1]), context]
      return try [images, texts] + Gradients.of([images.squared().sum(), texts.squared().sum()], with: leaves)
    }
    for (a, b) in zip(try outcome(fresh), try outcome(used)) { #expect(try a.isIdentical(to: b)) }
  }

  /// All of them, biases alone, the attention's projections alone, one block's alone.
  @Test(arguments: models, ["", ".bias", "attention.qkv.weight", ".blocks.1.", "norm", "mlp.output"])
  func `gradients of the towers' weights are those of the plain way`(_ name: String, _ part: String) throws {
    let clip = try TinyCLIP(name)
    let chosen = clip.model.parameters.paths.filter {
      $0 != "logitScale" && (part.isEmpty || $0.contains(part))
    }
    var tree = clip.model.parameters
    for path in chosen { tree[path] = try tree.require(path).asParameter() }
    let model = try CLIPModel(clip.model.configuration, parameters: tree)
    let names = clip.names(["cat", "red fox", "wooden chair", "red cat"])
    let pixels = try pixels(clip)
    // Prompts too, whose keys and values the same weights make.
    let beside = try prompts(clip, [0: 2, 1: 3])
    let context = try clip.normal([2, 4, model.configuration.text.width], seed: 2, deviation: 0.1)
    let leaves = try chosen.map { try tree.require($0) } + beside.sorted { $0.key < $1.key }.map(\.value)
    let width = model.configuration.projectionWidth
    let cotangents = [
      try clip.normal([3, width], seed: 5), try clip.normal([3, width], seed: 6),
      try clip.normal([1, 4, width], seed: 7), try clip.normal([2, 4, width], seed: 8),
    ]
    func run(_ image: ImageTower.EncodingPath, _ text: TextTower.EncodingPath) throws -> (
      outputs: [Tensor], gradients: [Tensor]
    ) {
      let outputs = try Engine.withGradients {
        [
          try model.image.features(pixels, path: image),
          try model.image.features(pixels, injection: PromptInjection(layers: beside), path: image),
          try model.text.features(names, path: text),
          try model.text.features(names, injection: PromptInjection(layers: [0: context]), path: text),
        ]
      }
      return (
        try outputs.map { try $0.detached() },
        try Gradients.of(outputs, cotangents: cotangents, with: leaves)
      )
    }
    let (plain, fused) = (try run(.plain, .plain), try run(.fused, .fused))
    for (place, output) in plain.outputs.enumerated() {
      try agree(fused.outputs[place], output, "output \(place)", within: .at(.tower))
    }
    for (place, path) in (chosen + ["prompt 0", "prompt 1"]).enumerated() {
      #expect(try plain.gradients[place].abs().sum().item() > 0, "\(path) has no gradient")
      try agree(fused.gradients[place], plain.gradients[place], "gradient of \(path)", within: .at(.gradient))
    }
  }

  @Test func `a model in double precision takes the plain way`() throws {
    let exact = try TinyCLIP(dtype: .float64)
    let (plain, fused) = try Engine.withoutGradients {
      let pixels = try pixels(exact).to(.float64)
      return (
        try exact.model.image.features(pixels, path: .plain), try exact.model.image.features(pixels, path: .fused)
      )
    }
    #expect(try plain.isIdentical(to: fused))
  }

  @Test func `what does not fit is an error`() throws {
    let clip = try TinyCLIP()
    let tree = clip.model.parameters
    func part(_ name: String) throws -> FusedBlock.Affine {
      (
        weight: try tree.require("image.blocks.0.\(name).weight"), bias: try tree.require("image.blocks.0.\(name).bias")
      )
    }
    func block(heads: Int = 2, mlpInput: FusedBlock.Affine? = nil) throws -> FusedBlock {
      try FusedBlock(
        norm1: part("norm1"), queryKeyValue: part("attention.qkv"), output: part("attention.output"),
        norm2: part("norm2"), mlpInput: mlpInput ?? part("mlp.input"), mlpOutput: part("mlp.output"), heads: heads,
        epsilon: 1e-5, activation: .quickGELU)
    }
    let width = clip.model.configuration.image.width
    let x = try clip.normal([2, 5, width], seed: 1)
    #expect(throws: BanyanError.self) { try block(heads: 7) }
    let good = try block()
    #expect(try good(x).shape == [2, 5, width])
    #expect(try good(x, wanted: 2).shape == [2, 2, width])
    for wanted in [0, 6, -1] { #expect(throws: BanyanError.self) { try good(x, wanted: wanted) } }
    #expect(throws: BanyanError.self) { try good(x.to(.float64)) }
    #expect(throws: BanyanError.self) { try good(x.reshaped([10, width])) }
    #expect(throws: BanyanError.self) { try good(x.narrowed(2, start: 0, length: width - 1)) }
    for shape in [[2, 3, width], [1, 3, width - 1], [3, width]] {
      #expect(throws: BanyanError.self) { try good(x, prompts: .zeros(shape)) }
    }
    for shape in [[2, 5, 64 * width], [0, 5, width]] { #expect(throws: BanyanError.self) { try good(.zeros(shape)) } }
    #expect(throws: BanyanError.self) { try block(mlpInput: part("mlp.output")) }
    #expect(throws: BanyanError.self) { try block(heads: 0) }
  }
}
