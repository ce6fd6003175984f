import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Testing

/// The shared prefix against its twin, the plain path: features and gradients of everything that can be injected.
@Suite struct SharedPrefixTests {
  /// What is injected, by name.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var names = ["cat", "red fox", "wooden chair", "grand piano", "swiss army knife"]
    /// Shapes by layer, without the prompts' axis.
    var layers: [Int: [Int]]
    var position = PromptInjection.Position.end
    var prompts = 1
  }

  private static let manyNames = (1...17).map { "x" + String(repeating: " big red", count: $0 % 6) + " fox \($0)" }

  private static let sentences = ["cat", "red fox", "wooden chair", "cat"].map { "a photo of a \($0)." }

  static let cases = [
    Case(testDescription: "nothing", layers: [:]),
    Case(testDescription: "end", layers: [0: [4, 32]]),
    Case(testDescription: "middle", layers: [0: [4, 32]], position: .middle),
    Case(testDescription: "middle, odd", layers: [0: [5, 32]], position: .middle),
    Case(testDescription: "front", layers: [0: [4, 32]], position: .front),
    Case(testDescription: "class-specific, end", layers: [0: [5, 4, 32]]),
    Case(testDescription: "class-specific, middle", layers: [0: [5, 4, 32]], position: .middle),
    Case(testDescription: "class-specific, front", layers: [0: [5, 4, 32]], position: .front),
    Case(testDescription: "class-specific, three prompts", layers: [0: [5, 4, 32]], prompts: 3),
    Case(testDescription: "deep, all layers", layers: [0: [4, 32], 1: [4, 32], 2: [4, 32]]),
    Case(testDescription: "deep, lengths differ", layers: [0: [4, 32], 1: [2, 32], 2: [7, 32]]),
    Case(testDescription: "layer 1 only", layers: [1: [4, 32]]),
    Case(testDescription: "last layer only", layers: [2: [3, 32]]),
    Case(testDescription: "deep over class-specific", layers: [0: [5, 4, 32], 2: [3, 32]]),
    Case(testDescription: "many prompts and names", names: manyNames, layers: [0: [6, 32]], prompts: 7),
    Case(
      testDescription: "many prompts and names in the middle", names: manyNames, layers: [0: [6, 32]],
      position: .middle, prompts: 7),
    Case(testDescription: "many deep prompts", names: manyNames, layers: [0: [3, 32], 1: [5, 32]], prompts: 4),
    Case(testDescription: "sentences that begin alike", names: sentences, layers: [:]),
    Case(
      testDescription: "sentences that begin alike, two prompts", names: sentences, layers: [0: [4, 32]], prompts: 2),
    Case(
      testDescription: "sentences that begin alike, deep", names: sentences,
      layers: [0: [4, 32], 1: [2, 32], 2: [5, 32]]),
    Case(
      testDescription: "sentences that begin alike, in the middle", names: sentences, layers: [0: [4, 32]],
      position: .middle),
    Case(
      testDescription: "sentences that begin alike, in front", names: sentences, layers: [0: [4, 32]], position: .front),
    Case(
      testDescription: "a name that begins another", names: ["red", "red fox", "red fox red"], layers: [0: [2, 32]]),
    Case(testDescription: "one class", names: ["cat"], layers: [0: [4, 32]], prompts: 2),
    Case(testDescription: "one class, deep", names: ["cat"], layers: [1: [1, 32]], prompts: 2),
  ]

  /// Features of one path and the gradient with respect to each injected tensor.
  private func run(
    _ test: Case, _ clip: TinyCLIP, _ path: TextTower.EncodingPath
  ) throws -> (features: Tensor, gradients: [(layer: Int, tensor: Tensor)]) {
    let order = test.layers.keys.sorted()
    let tokens = try order.map { layer in
      try clip.normal(
        [test.prompts] + test.layers[layer, default: []], seed: UInt64(70 + layer), deviation: layer == 0 ? 0.1 : 0.5
      ).asParameter()
    }
    let injection = PromptInjection(
      layers: Dictionary(uniqueKeysWithValues: zip(order, tokens)), position: test.position)
    let features = try clip.model.text.features(clip.names(test.names), injection: injection, path: path).normalized()
    guard !tokens.isEmpty else { return (features, []) }
    let cotangent = try clip.normal(features.shape, seed: 99)
    let gradients = try Gradients.of([features], cotangents: [cotangent], with: tokens)
    return (features, Array(zip(order, gradients)))
  }

  private func compare(
    _ path: TextTower.EncodingPath, _ test: Case, _ clip: TinyCLIP, features: Tolerance,
    gradients: Tolerance
  ) throws {
    let plain = try run(test, clip, .plain)
    let shared = try run(test, clip, path)
    #expect(plain.features.shape == [test.prompts, test.names.count, 24])
    try agree(shared.features, plain.features, "features", within: features)
    for (a, b) in zip(shared.gradients, plain.gradients) {
      try agree(a.tensor, b.tensor, "gradient of layer \(a.layer)", within: gradients)
      // A gradient of nothing would agree with itself.
      #expect(try b.tensor.abs().sum().item() > 0)
    }
  }

  @Test(arguments: cases)
  func `the shared prefix equals the plain path`(_ test: Case) throws {
    try compare(.sharedPrefix, test, TinyCLIP(), features: .shortcut, gradients: .shortcut)
  }

  @Test(arguments: cases)
  func `blocks as one op equal the plain path`(_ test: Case) throws {
    try compare(.fused, test, TinyCLIP(), features: .at(.tower), gradients: .at(.gradient))
  }

  @Test func `blocks as one op equal the plain path, with the other activation`() throws {
    let clip = try TinyCLIP("tiny-clip-gelu")
    let names = clip.names(["cat", "red fox", "wooden chair"])
    let context = try clip.normal([2, 3, clip.model.configuration.text.width], seed: 4, deviation: 0.1).asParameter()
    func run(_ path: TextTower.EncodingPath) throws -> (features: Tensor, gradient: Tensor) {
      let features = try clip.model.text.features(names, injection: PromptInjection(layers: [0: context]), path: path)
      return (try features.detached(), try Gradients.of([features.squared().sum()], with: [context])[0])
    }
    let (plain, fused) = (try run(.plain), try run(.fused))
    try agree(fused.features, plain.features, "features", within: .at(.tower))
    try agree(fused.gradient, plain.gradient, "gradient", within: .at(.gradient))
  }

  @Test func `a tower that is trained takes the way of single ops`() throws {
    let clip = try TinyCLIP()
    let path = "text.blocks.2.attention.output.bias"
    var tree = clip.model.parameters
    tree[path] = try tree.require(path).asParameter()
    let trained = try CLIPModel(clip.model.configuration, parameters: tree)
    let names = clip.names(["cat", "red fox"])
    let features = try Engine.withGradients { try trained.text.features(names, path: .fused) }
    let gradient = try Gradients.of([features.squared().sum()], with: [tree.require(path)])[0]
    #expect(try gradient.abs().sum().item() > 0)
  }

  @Test(arguments: cases)
  func `in double precision the two ways are the same to twelve digits`(_ test: Case) throws {
    try compare(
      .sharedPrefix, test, TinyCLIP(dtype: .float64), features: .at(.tower, .float64),
      gradients: .at(.gradient, .float64))
  }

  @Test func `prompts side by side do not see each other`() throws {
    let clip = try TinyCLIP()
    let contexts = try clip.normal([3, 4, 32], seed: 5, deviation: 0.1)
    let names = clip.names(["cat", "red fox"])
    for path in TextTower.EncodingPath.allCases {
      let together = try clip.model.text.features(names, injection: .init(layers: [0: contexts]), path: path)
      for prompt in 0..<3 {
        let own = try contexts.narrowed(0, start: prompt, length: 1)
        let alone = try clip.model.text.features(names, injection: .init(layers: [0: own]), path: path)
        try agree(
          together.narrowed(0, start: prompt, length: 1), alone, "prompt \(prompt), \(path)", within: .shortcut)
      }
    }
  }

  @Test(arguments: PromptInjection.Position.allCases, TextTower.EncodingPath.allCases)
  func `contexts made of words are the sentence with these words`(
    _ position: PromptInjection.Position, _ path: TextTower.EncodingPath
  ) throws {
    let clip = try TinyCLIP()
    let words: [Int32] = [320, 538, 613, 86, 78]
    let names = clip.names(["cat", "swiss army knife"])
    let before = [.end: 5, .middle: 2, .front: 0][position] ?? 0
    let sentences = names.map { name in
      ClassTokens(
        sentence: [name.start] + words[..<before] + name.name + words[before...] + name.closing + [name.end])
    }
    let contexts = try clip.model.text.embeddings(of: words).reshaped([1, 5, 32])
    let found = try clip.model.text.features(
      names, injection: PromptInjection(layers: [0: contexts], position: position), path: path)
    try agree(found, clip.model.text.features(sentences, path: .plain), "\(position)", within: .shortcut)
  }

  @Test func `a name that does not fit is an error that says how long it is`() throws {
    let clip = try TinyCLIP()
    let names = clip.names([String(repeating: "7 ", count: 60)])
    let fitting = try PromptInjection(layers: [0: clip.normal([1, 14, 32], seed: 1)])
    let tooLong = try PromptInjection(layers: [0: clip.normal([1, 15, 32], seed: 1)])
    for path in TextTower.EncodingPath.allCases {
      // start + 14 + 60 + full stop + end = 77.
      #expect(throws: Never.self) {
        try clip.model.text.features(names, injection: fitting, path: path)
      }
      let error = #expect(throws: BanyanError.self) {
        try clip.model.text.features(names, injection: tooLong, path: path)
      }
      #expect(error?.description.contains("takes 78 positions, the model has 77") == true)
      #expect(error?.remedy.isEmpty == false)
    }
  }

  @Test func `injections that do not fit the tower are errors that name the layer`() throws {
    let clip = try TinyCLIP()
    let names = clip.names(["cat", "dog"])
    func refuse(_ layers: [Int: [Int]], _ part: String, position: PromptInjection.Position = .end) throws {
      let injection = PromptInjection(layers: try layers.mapValues { try .zeros($0) }, position: position)
      let error = #expect(throws: BanyanError.self, "\(layers)") {
        try clip.model.text.features(names, injection: injection)
      }
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
    try refuse([0: [1, 4, 31]], "layer 0 of the text tower")
    try refuse([3: [1, 4, 32]], "layers 0 to 2")
    try refuse([-1: [1, 4, 32]], "layers 0 to 2")
    try refuse([0: [4, 32]], "expected shape")
    try refuse([0: [32]], "expected shape")
    try refuse([0: []], "expected shape")
    try refuse([0: [0, 4, 32]], "expected shape")
    try refuse([0: [2, 4, 32], 1: [3, 4, 32]], "expected shape")
    try refuse([0: [1, 3, 4, 32]], "expected 2 classes, found 3")
    try refuse([1: [1, 2, 4, 32]], "expected shape")
    try refuse([0: [1, 4, 32], 1: [1, 4, 32]], "deep prompts", position: .front)
    #expect(throws: BanyanError.self) { try clip.model.text.features([]) }
    #expect(throws: BanyanError.self) {
      try clip.model.text.features([ClassTokens(sentence: [752, 99_999, 753])])
    }
  }
}
