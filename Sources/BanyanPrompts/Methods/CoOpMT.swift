import BanyanCLIP
public import BanyanTensor

/// Learns one context that all tasks share.
///
/// ``CoOp`` learns one per task; here the losses of all tasks are summed over the same `M` vectors:
///
///     L = Σ_t mean cross-entropy of exp(s) · x_t w(v, names_t)ᵀ
///
/// Paper: the multi-task form of CoOp that Xin et al., *MmAP*, AAAI 2024, and Liu et al., *Hierarchical Prompt Learning
/// for Multi-Task Learning*, CVPR 2023, compare with. Adds `M · width` parameters in all.
public struct CoOpMT: TextPromptMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// The free vectors.
    public var context = ContextSettings()
  }

  public static let descriptor = MethodDescriptor(
    name: "coop-mt", title: "CoOp-MT",
    summary: "One learned context shared by all tasks.",
    paper:
      "Zhou et al., Learning to Prompt for Vision-Language Models, IJCV 2022; multi-task form as in Xin et al., MmAP, AAAI 2024",
    options: ContextSettings.options)
  public static let defaults = Configuration()

  let encoder: PromptEncoder
  public let logitScale: Double
  private let settings: ContextSettings
  private let context: MethodContext

  public init(_ configuration: Configuration, context: MethodContext) throws {
    settings = configuration.context
    self.context = context
    encoder = try PromptEncoder(context, position: configuration.context.position)
    logitScale = context.model.logitScale
    try settings.check(classSets: encoder.vocabulary.classSets.count, prompt: "the shared prompt")
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    let classes = settings.classSpecific ? context.tasks.first?.classNames.count : nil
    return ParameterTree([
      "shared.context": try settings.start(for: context.tasks, classes: classes, context: context, seed: seed)
    ])
  }

  func contexts(of task: Int) -> [String] { ["shared.context"] }

  func objective(_ batch: TaskBatch, _ weights: [Tensor]) throws -> Tensor { try crossEntropy(batch, weights[0]) }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    try weights(of: Array(context.tasks.indices), parameters).map { TaskClassifier($0[0]) }
  }
}
