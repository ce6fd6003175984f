/// Learns text prompts at several layers and linear maps that make image prompts of them, shared by all tasks.
///
/// ``MaPLe`` learns them per task; here the losses of all tasks are summed over the same prompts and maps:
///
///     L = Σ_t mean cross-entropy of exp(s) · image(x_t, P_text Wᵀ + b) text(names_t, P_text)ᵀ
///
/// Paper: the multi-task form of Khattak et al., *MaPLe*, CVPR 2023, that Xin et al., *MmAP*, AAAI 2024, compare with. Adds
/// `J · (M · d_text + (d_text + 1) · d_image)` parameters in all; touches no backbone path.
public struct MaPLeMT: UnitPromptMethod {
  /// What may be set.
  public typealias Configuration = CoupledPromptSettings

  public static let descriptor = MethodDescriptor(
    name: "maple-mt", title: "MaPLe-MT",
    summary: "Deep text prompts and linear maps that make the image prompts of them, shared by all tasks.",
    paper:
      "Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023; multi-task form as in Xin et al., MmAP, AAAI 2024",
    options: CoupledPromptSettings.options)
  public static let defaults = Configuration()

  let parts: UnitPromptParts

  public init(_ configuration: Configuration, context: MethodContext) throws {
    parts = try UnitPromptParts(
      CoupledPromptUnit(configuration, context: context), copies: .ofAll, context: context)
  }
}
