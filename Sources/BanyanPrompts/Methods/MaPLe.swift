/// Learns text prompts at several layers and linear maps that make image prompts of them, for each task apart.
///
/// ``JointPrompts`` learns the towers' prompts side by side; here those of the image tower follow from those of the text
/// tower, at each of the first `J` layers:
///
///     P_image = P_text Wᵀ + b        // [M, d_image], P_text [M, d_text], W [d_image, d_text]
///
/// A layer's prompts take the place of what the layer before made of its own; layers after the `J`th hand theirs on. The
/// public code puts image prompts behind the patches, here they stand before them: without a position embedding, and with
/// attention that looks both ways, that is the same function. Paper: Khattak et al., *MaPLe: Multi-modal Prompt
/// Learning*, CVPR 2023, arXiv:2210.03117. Adds `J · (M · d_text + (d_text + 1) · d_image)` parameters a task (3.56 M on
/// ViT-B/16); touches no backbone path.
public struct MaPLe: UnitPromptMethod {
  /// What may be set.
  public typealias Configuration = CoupledPromptSettings

  public static let descriptor = MethodDescriptor(
    name: "maple", title: "MaPLe",
    summary: "Deep text prompts per task, and linear maps that make the image prompts of them.",
    paper: "Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023",
    options: CoupledPromptSettings.options)
  public static let defaults = Configuration()

  let parts: UnitPromptParts

  public init(_ configuration: Configuration, context: MethodContext) throws {
    parts = try UnitPromptParts(
      CoupledPromptUnit(configuration, context: context), copies: .ofTasks, context: context)
  }
}
