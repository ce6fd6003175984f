import BanyanCLIP
public import BanyanFoundation
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
  public struct Configuration: GroupedPromptSettings, Codable, Sendable, Equatable {
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
    options: Configuration.commonOptions)
  public static let defaults = Configuration()

  let parts: GroupedPromptParts
  private let configuration: Configuration

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    parts = try GroupedPromptParts(configuration, context: context)
  }

  func start(_ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    for (tower, layers, width) in parts.stacks {
      for layer in 0..<layers {
        unit["\(tower).\(layer)"] = try .normal(
          [configuration.length, width], deviation: configuration.deviation, generator: &generator)
      }
    }
    return unit
  }

  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts {
    try parts.prompts { try unit("\($0).\($1)") }
  }
}
