import BanyanFoundation
public import BanyanTensor

/// The symmetric contrastive loss of CLIP (InfoNCE) over a batch of pictures and captions.
///
/// With unit features `X`, `W` [batch, projection] and the scale `s`, the logits are `S = s X Wᵀ` and
///
///     L = ½ (CE(S, T) + CE(Sᵀ, T)),    CE(S, T) = −1/B Σᵢ Σⱼ Tᵢⱼ log softmax(Sᵢ)ⱼ
///
/// In the paper `T` is the identity. Here pictures whose captions have the same tokens are each other's positives: row `i`
/// of `T` is spread evenly over all columns with its caption, since a picture that is told apart from an equal sentence
/// would be pushed away from its own. Label smoothing `ε` takes `ε / B` of every row for all columns.
///
/// Paper: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, arXiv:2103.00020,
/// figure 3.
public enum ContrastiveLoss {
  /// The loss of one batch.
  ///
  /// - Parameters:
  ///   - images: Image features [batch, projection]; normalised here.
  ///   - texts: Text features [batch, projection]; normalised here.
  ///   - logScale: The logarithm of `s`, a scalar.
  ///   - captions: A number per row; equal numbers are equal captions.
  ///   - labelSmoothing: `ε`.
  /// - Throws: A `BanyanError` where the counts differ.
  public static func symmetric(
    images: Tensor, texts: Tensor, logScale: Tensor, captions: [Int], labelSmoothing: Double = 0
  ) throws -> Tensor {
    guard images.shape == texts.shape, images.rank == 2, images.extent(0) == captions.count, !captions.isEmpty else {
      throw BanyanError(
        .failed, at: "contrastive loss",
        "expected features of \(captions.count) pictures and captions, found \(images.shape) and \(texts.shape)")
    }
    let target = try target(captions, labelSmoothing: labelSmoothing, like: images)
    let cosines = try images.normalized().matmul(texts.normalized().transposed())
    let logits = try cosines * logScale.exp()  // [batch, batch]
    let both = try logits.logSoftmax(1) + logits.logSoftmax(0)
    // `T` is symmetric, so that one product serves both directions.
    return try (both * target).sum() * (-0.5 / Double(captions.count))
  }

  /// `T`: [batch, batch], rows and columns sum to 1.
  private static func target(_ captions: [Int], labelSmoothing: Double, like x: Tensor) throws -> Tensor {
    let batch = captions.count
    var rows: [Int: [Int]] = [:]
    for (row, caption) in captions.enumerated() { rows[caption, default: []].append(row) }
    var elements = [Double](repeating: labelSmoothing / Double(batch), count: batch * batch)
    for group in rows.values {
      let share = (1 - labelSmoothing) / Double(group.count)
      for i in group { for j in group { elements[i * batch + j] += share } }
    }
    return try Tensor(elements, shape: [batch, batch]).to(x.dtype, device: x.device)
  }
}
