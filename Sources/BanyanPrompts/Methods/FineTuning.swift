import BanyanCLIP
import BanyanTensor

/// Trains all weights of the backbone, a copy for each task.
///
/// ``FineTuningMT`` trains one copy for all tasks; here tasks share nothing but the start. With `θ_t` the weights of both
/// towers and `s_t` the logarithm of the scale:
///
///     L_t = mean cross-entropy of exp(s_t) · image(x; θ_t) w_t(θ_t)ᵀ
///
/// where the class weights `w_t` are encoded anew in every step. `exp(s_t)` is not cut off at 100 as it was in
/// pre-training: published models start there, and a cut would hold the scale fast.
///
/// Paper: the single-task form of full fine-tuning that Xin et al., *MmAP*, AAAI 2024, compare with. Adds as many parameters
/// as the backbone has for every task; replaces all of its paths.
public struct FineTuning: BackboneCopyMethod {
  /// What may be set.
  public typealias Configuration = SentenceSettings

  public static let descriptor = MethodDescriptor(
    name: "fine-tuning", title: "fine-tuning",
    summary: "All weights of both towers, a copy for each task.",
    paper: "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021",
    options: SentenceSettings.options)
  public static let defaults = Configuration()

  let context: MethodContext
  let backbone: AdaptedBackbone
  let copied: [String]

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.context = context
    backbone = try AdaptedBackbone(configuration.templates, towers: .both, isShared: false, context: context)
    copied = context.model.parameters.paths
  }
}
