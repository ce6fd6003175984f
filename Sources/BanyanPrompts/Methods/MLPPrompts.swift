import BanyanCLIP
public import BanyanFoundation
import BanyanTensor
import Foundation

/// Makes the prompts of both towers from one source by a linear layer a tower.
///
/// The second partner of ``MmAP``'s ablation (Figure 4b), which couples the towers through networks in place of Kronecker
/// products. At every layer `k`, with one source and two maps:
///
///     P_text  = P_s W_textᵀ + b_text       // [b, d_text],  P_s [b, h]
///     P_image = P_s W_imageᵀ + b_image     // [b, d_image]
///
/// `h` is the width of the text tower by default; weights start uniform in ±1/√h, biases at 0. Paper: Xin et al., *MmAP*,
/// AAAI 2024, Figure 4 ("two MLP layers"); that these are one linear layer a tower is our reading. Adds
/// `K · (b h + (h + 1)(d_text + d_image))` parameters for every group of several tasks and for every task; touches no
/// backbone path.
public struct MLPPrompts: GroupedPromptMethod {
  /// What may be set.
  public struct Configuration: GroupedPromptSettings, Codable, Sendable, Equatable {
    /// `b`, prompt tokens at a layer.
    public var length = 8
    /// `h`, width of the source; `null` for that of the text tower.
    @Nullable public var sourceWidth: Int?
    /// The first so many layers; `null` for all.
    @Nullable public var depth: Int?
    /// Standard deviation of the source's start.
    public var deviation = 0.02
    /// Whether every task has prompts of its own beside its group's.
    public var taskSpecific = true
  }

  public static let descriptor = MethodDescriptor(
    name: "mlp-prompts", title: "MLP prompts",
    summary: "Prompts of both towers by a linear layer each from one source; an ablation of MmAP.",
    paper: "Xin et al., MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning, AAAI 2024, Figure 4",
    options: Configuration.commonOptions + [
      .init("sourceWidth", "Width of the source prompt; null for that of the text tower.")
    ])
  public static let defaults = Configuration()

  let parts: GroupedPromptParts
  private let configuration: Configuration
  private let sourceWidth: Int

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    parts = try GroupedPromptParts(configuration, context: context)
    sourceWidth = configuration.sourceWidth ?? context.model.configuration.text.width
    guard (1...65_536).contains(sourceWidth) else {
      throw BanyanError(.usage, at: "sourceWidth", "expected 1 to 65536, found \(sourceWidth)")
    }
  }

  func start(_ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    for layer in 0..<parts.depth.layers {
      unit["source.\(layer)"] = try .normal(
        [configuration.length, sourceWidth], deviation: configuration.deviation, generator: &generator)
    }
    let bound = 1 / Double(sourceWidth).squareRoot()
    for (tower, layers, width) in parts.stacks {
      for layer in 0..<layers {
        unit["\(tower).\(layer).weight"] = try .uniform([width, sourceWidth], bound: bound, generator: &generator)
        unit["\(tower).\(layer).bias"] = try .zeros([width])
      }
    }
    return unit
  }

  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts {
    try parts.prompts { tower, layer in
      try unit("source.\(layer)").linear(unit("\(tower).\(layer).weight"), unit("\(tower).\(layer).bias"))
    }
  }
}
