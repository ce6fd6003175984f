import BanyanCLIP
import BanyanTensor

/// Trains the bias terms of the backbone and nothing else.
///
/// ``FineTuningMT`` trains every weight; here the matrices stay frozen, and of each linear layer and each norm
///
///     y = W x + b,    y = (x − mean) / √(variance + ε) · g + b
///
/// only a copy of `b` moves. Paper: Ben Zaken, Ravfogel and Goldberg, *BitFit: Simple Parameter-efficient Fine-tuning for
/// Transformer-based Masked Language-models*, ACL 2022, arXiv:2106.10199. Adds `11 · width` parameters for every block of a
/// tower whose MLP is four times as wide, and the biases of the norms around them; replaces all paths that end with
/// `.bias`.
public struct BitFit: BackboneCopyMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// Whose biases.
    public var towers = AdaptedTowers.both
    /// Whether one set of biases serves all tasks.
    public var shared = true
    /// Sentences with `{}` for the class name.
    public var templates = ["a photo of a {}."]
  }

  public static let descriptor = MethodDescriptor(
    name: "bitfit", title: "BitFit",
    summary: "All bias terms of both towers; the matrices stay frozen.",
    paper:
      "Ben Zaken et al., BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models, "
      + "ACL 2022",
    options: [
      .init("towers", "Whose biases are trained: those of both towers, of the image or of the text tower."),
      .init("shared", "Whether one set of biases serves all tasks; if not, every task has its own."),
      .init("templates", "Sentences with {} for the class name; their unit features are averaged."),
    ])
  public static let defaults = Configuration()

  public static func shared(_ configuration: Configuration) -> Configuration {
    setting(\.shared, to: true, in: configuration)
  }

  let context: MethodContext
  let backbone: AdaptedBackbone
  let copied: [String]

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.context = context
    backbone = try AdaptedBackbone(
      configuration.templates, towers: configuration.towers, isShared: configuration.shared, context: context)
    copied = backbone.paths.filter { $0.hasSuffix(".bias") }
  }
}
