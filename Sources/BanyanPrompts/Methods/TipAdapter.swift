public import BanyanTensor

/// Looks a picture up among the training pictures; learns nothing.
///
/// ``ZeroShot`` asks the text alone; here every training picture adds its say for its class, the more the nearer it is.
/// ``TipAdapterF`` trains the keys `F`, which are constants here:
///
///     logits = exp(s) · x wᵀ + α · exp(−β (1 − x Fᵀ)) L        // [rows, classes]
///     F [n, projection]: unit features of the training pictures;  L [n, classes]: their classes, one-hot
///
/// Paper: Zhang et al., *Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification*, ECCV 2022,
/// arXiv:2207.09519. Adds no trained parameter, and stores `n (projection + classes)` numbers a task; touches no backbone
/// path. A training picture finds itself in the cache, as in the paper.
public struct TipAdapter: PictureCacheMethod {
  /// What may be set.
  public typealias Configuration = CacheSettings

  public static let descriptor = MethodDescriptor(
    name: "tip-adapter", title: "Tip-Adapter",
    summary: "Zero-shot logits with the say of near training pictures added; nothing is learned.",
    paper: "Zhang et al., Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification, ECCV 2022",
    options: CacheSettings.options)

  let parts: PictureCacheParts

  public init(_ configuration: CacheSettings, context: MethodContext) throws {
    parts = try PictureCacheParts(configuration, context: context)
  }

  public var selection: ParameterSelection { ParameterSelection([.init("**", .frozen)]) }
}
