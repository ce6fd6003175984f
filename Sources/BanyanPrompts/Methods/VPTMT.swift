/// Learns tokens that the pictures of all tasks carry through the image tower.
///
/// ``VPT`` learns them per task; here the losses of all tasks are summed over the same tokens:
///
///     L = Σ_t mean cross-entropy of exp(s) · image(x_t, P) w_tᵀ        // P: [M, width] at each layer
///
/// Paper: the multi-task form of Jia et al., *Visual Prompt Tuning*, ECCV 2022, that Xin et al., *MmAP*, AAAI 2024, compare
/// with. Adds `layers · M · width` parameters in all; touches no backbone path.
public struct VPTMT: UnitPromptMethod {
  /// What may be set.
  public typealias Configuration = ImagePromptSettings

  public static let descriptor = MethodDescriptor(
    name: "vpt-mt", title: "VPT-MT",
    summary: "Learned tokens in the image tower, shared by all tasks.",
    paper: "Jia et al., Visual Prompt Tuning, ECCV 2022; multi-task form as in Xin et al., MmAP, AAAI 2024",
    options: ImagePromptSettings.options)
  public static let defaults = Configuration()

  let parts: UnitPromptParts

  public init(_ configuration: Configuration, context: MethodContext) throws {
    parts = try UnitPromptParts(
      configuration.unit(context), copies: .ofAll, templates: configuration.templates, context: context)
  }
}
