import BanyanCLIP
public import BanyanFoundation
public import BanyanTensor

/// Learns a small network on top of one tower's features, blended with the features themselves.
///
/// ``LinearProbe`` forgets the class names; here the text's weights `w` stay the classifier and the pictures' unit features
/// `x` are moved (or, on the text side, `w` is moved in the same way):
///
///     A(x) = ReLU( W₂ ReLU( W₁ x ) )                   // W₁ [D/r, D], W₂ [D, D/r], no biases
///     x′   = normalise( α A(x) + (1 − α) x )
///     L_t  = mean cross-entropy of exp(s) · x′ wᵀ
///
/// The paper's code blends raw features and normalises once, after it. `A` has no biases, so that `A(c x) = c A(x)` for
/// `c > 0`, and blending unit features gives the same `x′`.
/// Paper: Gao et al., *CLIP-Adapter: Better Vision-Language Models with Feature Adapters*, IJCV 2024, arXiv:2110.04544.
/// Adds `2 D²/r` parameters in all, or a task; touches no backbone path.
public struct CLIPAdapter: TowerMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// Whose features are adapted.
    public var on = Side.image
    /// Whether one adapter serves all tasks.
    public var shared = true
    /// `α`, the share of the adapter.
    public var ratio = 0.2
    /// `r`, by how much the middle is narrower.
    public var reduction = 4
    /// Sentences with `{}` for the class name.
    public var templates = ["a photo of a {}."]
  }

  /// Whose features are adapted.
  public enum Side: String, NamedChoice {
    /// The pictures'.
    case image
    /// The class names'.
    case text
  }

  public static let descriptor = MethodDescriptor(
    name: "clip-adapter", title: "CLIP-Adapter",
    summary: "A small network on top of the image or text features, blended with the features themselves.",
    paper: "Gao et al., CLIP-Adapter: Better Vision-Language Models with Feature Adapters, IJCV 2024",
    options: [
      .init("on", "Whose features are adapted: image or text."),
      .init("shared", "Whether one adapter serves all tasks; else every task has its own."),
      .init("ratio", "Share of the adapter in the blend, from 0 to 1 (alpha)."),
      .init("reduction", "By how much the adapter's middle is narrower than the features."),
      .init("templates", "Sentences with {} for the class name; their unit features are averaged."),
    ])
  public static let defaults = Configuration()

  public static func shared(_ configuration: Configuration) -> Configuration {
    setting(\.shared, to: true, in: configuration)
  }

  let context: MethodContext
  private let configuration: Configuration
  private let templates: TemplateWeights

  public init(_ configuration: Configuration, context: MethodContext) throws {
    let width = context.model.configuration.projectionWidth
    guard (0...1).contains(configuration.ratio) else {
      throw BanyanError(.usage, at: "ratio", "expected a number from 0 to 1, found \(configuration.ratio)")
    }
    guard (1...width).contains(configuration.reduction) else {
      throw BanyanError(.usage, at: "reduction", "expected 1 to \(width), found \(configuration.reduction)")
    }
    self.configuration = configuration
    self.context = context
    templates = try TemplateWeights(configuration.templates, context: context)
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    let width = context.model.configuration.projectionWidth
    let middle = width / configuration.reduction
    func add(_ unit: String, _ tasks: [PromptTask]) throws {
      let names = tasks.map(\.name).sorted().joined(separator: "\u{1F}")
      var generator = SeededGenerator(seed: seed, label: "adapter of \(names)")
      // ±1/√inputs, the usual start of a linear layer.
      for (name, inputs, outputs) in [("input", width, middle), ("output", middle, width)] {
        tree["\(unit).\(name)"] =
          try .uniform([outputs, inputs], bound: 1 / Double(inputs).squareRoot(), generator: &generator)
          .to(device: context.model.device)
      }
    }
    if configuration.shared {
      try add("shared.adapter", context.tasks)
    } else {
      for (index, task) in context.tasks.enumerated() { try add("tasks.\(index).adapter", [task]) }
    }
    return tree
  }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor {
    let weights = try templates(task)
    return configuration.on == .text ? try adapted(weights, parameters, task: task) : weights
  }

  func weightsKey(task: Int) -> String {
    configuration.on == .text && !configuration.shared ? "task \(task)" : templates.key(task: task)
  }

  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    configuration.on == .image ? try adapted(batch.features, parameters, task: batch.task) : batch.features
  }

  private func adapted(_ x: Tensor, _ parameters: ParameterTree, task: Int) throws -> Tensor {
    let unit = configuration.shared ? "shared.adapter" : "tasks.\(task).adapter"
    let middle = try x.linear(parameters.require("\(unit).input")).relu()
    let moved = try middle.linear(parameters.require("\(unit).output")).relu()
    return try (moved * configuration.ratio + x * (1 - configuration.ratio)).normalized()
  }
}
