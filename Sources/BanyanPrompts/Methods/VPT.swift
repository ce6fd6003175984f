/// Learns tokens that every picture of a task carries through the image tower, for each task apart.
///
/// ``CoOp`` learns the words around a class name and leaves pictures alone; here class weights are those of ``ZeroShot``
/// and `M` tokens `P` stand between a picture's class token `c` and its patches `E`, new ones at each layer `k`:
///
///     [c_k, ·, E_k] = block_k [c_{k−1}, P_{k−1}, E_{k−1}]        // P_k [M, width], no position embedding
///
/// What a layer makes of the prompts is thrown away; with `deep` off there is only `P_0` and later layers hand it on. The
/// start is uniform in ±√(6 / (3 · patch² + width)). Paper: Jia et al., *Visual Prompt Tuning*, ECCV 2022,
/// arXiv:2203.12119, on CLIP as Xin et al., *MmAP*, AAAI 2024, compare with. Adds `layers · M · width` parameters a task
/// (0.147 M on ViT-B/16); touches no backbone path.
public struct VPT: UnitPromptMethod {
  /// What may be set.
  public typealias Configuration = ImagePromptSettings

  public static let descriptor = MethodDescriptor(
    name: "vpt", title: "VPT",
    summary: "Learned tokens in the image tower, per task; the text side stays hand-written.",
    paper: "Jia et al., Visual Prompt Tuning, ECCV 2022",
    options: ImagePromptSettings.options)
  public static let defaults = Configuration()

  let parts: UnitPromptParts

  public init(_ configuration: Configuration, context: MethodContext) throws {
    parts = try UnitPromptParts(
      configuration.unit(context), copies: .ofTasks, templates: configuration.templates, context: context)
  }
}
