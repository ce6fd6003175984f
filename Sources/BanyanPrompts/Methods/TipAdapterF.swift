public import BanyanTensor

/// Looks a picture up among keys that start as the training pictures and are trained.
///
/// ``TipAdapter`` keeps the keys as they are; here they are free, also in length, and everything else stays:
///
///     logits = exp(s) · x wᵀ + α · exp(−β (1 − x Fᵀ)) L        // F [n, projection] is trained
///     L_t    = mean cross-entropy of the logits
///
/// Paper: Zhang et al., *Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification*, ECCV 2022,
/// arXiv:2207.09519, section 3.2. Adds `n · projection` trained parameters a task, for its `n` training pictures; touches
/// no backbone path. α and β are chosen, where asked for, after the steps.
public struct TipAdapterF: PictureCacheMethod {
  /// What may be set.
  public typealias Configuration = CacheSettings

  public static let descriptor = MethodDescriptor(
    name: "tip-adapter-f", title: "Tip-Adapter-F",
    summary: "Zero-shot logits with the say of near keys added; the keys start as training pictures and are trained.",
    paper: "Zhang et al., Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification, ECCV 2022",
    options: CacheSettings.options)

  let parts: PictureCacheParts

  public init(_ configuration: CacheSettings, context: MethodContext) throws {
    parts = try PictureCacheParts(configuration, context: context)
  }

  public var selection: ParameterSelection {
    ParameterSelection([.init("tasks.*.keys", .trainable), .init("**", .frozen)])
  }
}
