import BanyanCLIP
public import BanyanFoundation
import BanyanStructure
import BanyanTensor

/// Learns the prompts of both towers side by side, without anything between them.
///
/// The first partner of ``MmAP``'s ablation (Figure 4a): at every layer `k` the tokens themselves are the parameters,
///
///     P_text [b, d_text],  P_image [b, d_image]
///
/// from N(0, σ²). Paper: Xin et al., *MmAP*, AAAI 2024, Figure 4. Adds `K · b (d_text + d_image)` parameters for every
/// group of several tasks and for every task; touches no backbone path.
public struct JointPrompts: GroupedPromptMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// `b`, prompt tokens at a layer.
    public var length = 8
    /// The first so many layers; `null` for all.
    @Nullable public var depth: Int?
    /// Standard deviation of the random start.
    public var deviation = 0.02
    /// Whether every task has prompts of its own beside its group's.
    public var taskSpecific = true
  }

  public static let descriptor = MethodDescriptor(
    name: "joint-prompts", title: "Joint prompts",
    summary: "Free prompts in both towers, learned side by side; an ablation of MmAP.",
    paper: "Xin et al., MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning, AAAI 2024, Figure 4",
    options: [
      .init("length", "Prompt tokens at a layer."),
      .init("depth", "The first so many layers have prompts; null for all."),
      .init("deviation", "Standard deviation of the random start."),
      .init("taskSpecific", "Whether every task has prompts of its own beside those of its group."),
    ])
  public static let defaults = Configuration()

  public static func shared(_ configuration: Configuration) -> Configuration {
    var copy = configuration
    copy.taskSpecific = false
    return copy
  }

  let context: MethodContext
  let towers: PromptedTowers
  let groups: TaskGroups
  let hasTaskSpecific: Bool
  private let configuration: Configuration
  private let depth: PromptDepth

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    self.context = context
    groups = try context.requireGroups()
    hasTaskSpecific = configuration.taskSpecific
    depth = try PromptDepth(
      count: configuration.length, depth: configuration.depth, context: context, keys: ("length", "depth"))
    towers = try PromptedTowers(context, textPrompts: configuration.length * (hasTaskSpecific ? 2 : 1))
    guard configuration.deviation > 0, configuration.deviation.isFinite else {
      throw BanyanError(.usage, at: "deviation", "expected a positive number, found \(configuration.deviation)")
    }
  }

  func start(_ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    let model = context.model.configuration
    for (tower, layers, width) in [
      ("text", depth.textLayers, model.text.width), ("image", depth.imageLayers, model.image.width),
    ] {
      for layer in 0..<layers {
        unit["\(tower).\(layer)"] = try .normal(
          [configuration.length, width], deviation: configuration.deviation, generator: &generator)
      }
    }
    return unit
  }

  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts {
    func layers(_ tower: String, _ count: Int) throws -> [Int: Tensor] {
      try Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, try unit("\(tower).\($0)")) })
    }
    return TowerPrompts(text: try layers("text", depth.textLayers), image: try layers("image", depth.imageLayers))
  }
}
