import BanyanCLIP
import BanyanTensor

/// Trains all weights of the backbone, one copy for all tasks.
///
/// ``FineTuning`` trains a copy for each task; here the losses of all tasks are summed over the same weights `θ` of both
/// towers and the same logarithm `s` of the scale:
///
///     L = Σ_t mean cross-entropy of exp(s) · image(x_t; θ) w_t(θ)ᵀ
///
/// Class weights are encoded anew in every step, once for tasks with the same sentences. `exp(s)` is not cut off at 100 as
/// it was in pre-training: published models start there, and a cut would hold the scale fast.
///
/// Paper: the multi-task form of full fine-tuning that Xin et al., *MmAP*, AAAI 2024, compare with. Adds as many parameters
/// as the backbone has; replaces all of its paths.
public struct FineTuningMT: BackboneCopyMethod {
  /// What may be set.
  public typealias Configuration = SentenceSettings

  public static let descriptor = MethodDescriptor(
    name: "fine-tuning-mt", title: "fine-tuning-MT",
    summary: "All weights of both towers, one copy for all tasks.",
    paper: "multi-task form as in Xin et al., MmAP, AAAI 2024",
    options: SentenceSettings.options)
  public static let defaults = Configuration()

  let context: MethodContext
  let backbone: AdaptedBackbone
  let copied: [String]

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.context = context
    backbone = try AdaptedBackbone(configuration.templates, towers: .both, isShared: true, context: context)
    copied = context.model.parameters.paths
  }
}
