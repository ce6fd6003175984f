import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// Text prompts at the first layers, and at each of them a linear map that makes the image prompts.
///
///     P_image = P_text Wᵀ + b        // [length, d_image], P_text [length, d_text], W [d_image, d_text]
///
/// Parameters `text.<layer>`, `projection.<layer>.weight` and `projection.<layer>.bias`. Layer 0's text starts from words,
/// what words do not fill and deeper layers from N(0, σ²); maps are uniform in ±1/√d_text, bias and all, as a linear layer
/// of PyTorch starts.
struct CoupledPromptUnit: PromptUnit {
  let promptsImages = true
  private let settings: CoupledPromptSettings
  private let context: MethodContext
  private let layers: Int

  /// - Throws: A `BanyanError` that names the key whose value does not fit the towers.
  init(_ settings: CoupledPromptSettings, context: MethodContext) throws {
    let model = context.model.configuration
    try Self.check(settings.length, "length", in: 1...max(1, model.contextLength - 4))
    try Self.check(settings.depth, "depth", in: 1...4096)
    try Self.check(positive: settings.deviation, "deviation")
    self.settings = settings
    self.context = context
    layers = min(settings.depth, model.text.layers, model.image.layers)
    if let words = settings.initialWords, context.tokenizer.tokens(of: words).isEmpty {
      throw BanyanError(.usage, at: "initialWords", "expected words, found \"\(words)\"", remedy: "Set it to null.")
    }
  }

  var textLength: Int { settings.length }

  func start(for tasks: [PromptTask], _ generator: inout SeededGenerator) throws -> ParameterTree {
    let model = context.model.configuration
    let (count, width) = (settings.length, model.text.width)
    let bound = 1 / Double(width).squareRoot()
    var unit = ParameterTree()
    for layer in 0..<layers {
      let random = try Tensor.normal([count, width], deviation: settings.deviation, generator: &generator)
      unit["text.\(layer)"] = layer == 0 ? try started(random, words: words(of: tasks)) : random
      unit["projection.\(layer).weight"] = try .uniform(
        [model.image.width, width], bound: bound, generator: &generator)
      unit["projection.\(layer).bias"] = try .uniform([model.image.width], bound: bound, generator: &generator)
    }
    return unit
  }

  func prompts(_ parameter: (String) throws -> Tensor) throws -> TowerPrompts {
    var prompts = TowerPrompts()
    for layer in 0..<layers {
      let text = try parameter("text.\(layer)")
      prompts.text[layer] = text
      prompts.image[layer] = try text.linear(
        parameter("projection.\(layer).weight"), parameter("projection.\(layer).bias"))
    }
    return prompts
  }

  /// The words that a copy for `tasks` starts from: the option, or what the tasks agree on.
  private func words(of tasks: [PromptTask]) -> String? {
    if let words = settings.initialWords { return words }
    let wishes = Set(tasks.map(\.initialWords))
    return wishes.count == 1 ? wishes.first.flatMap { $0 } : nil
  }

  /// `random` [length, width] with its first rows replaced by the embeddings of `words`.
  private func started(_ random: Tensor, words: String?) throws -> Tensor {
    let ids = words.map { Array(context.tokenizer.tokens(of: $0).prefix(settings.length)) } ?? []
    guard !ids.isEmpty else { return random }
    let given = try context.model.text.embeddings(of: ids).detached().to(.float32, device: .cpu)
    let rest = settings.length - ids.count
    guard rest > 0 else { return try given.clone() }
    return try Tensor.concatenated([given, random.narrowed(0, start: ids.count, length: rest)], axis: 0)
  }
}
