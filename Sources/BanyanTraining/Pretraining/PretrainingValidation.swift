import Foundation

/// A look at held-out pictures while a CLIP is trained.
public struct PretrainingValidation: Codable, Sendable, Equatable {
  /// Contrastive steps taken before.
  public var step: Int
  /// How pictures and captions find each other.
  public var retrieval: RetrievalScores
  /// The share of pictures whose attribute is named right from sentences alone, where the source has the attribute.
  public var zeroShot: Double?
  /// How many values the attribute has.
  public var zeroShotClasses: Int?

  /// One line for progress.
  var summary: String {
    func percent(_ share: Double) -> String { (share * 100).formatted(.number.precision(.fractionLength(1))) + " %" }
    var text =
      "Step \(step), held out: image to text R@1 \(percent(retrieval.imageToText1)), R@5 "
      + "\(percent(retrieval.imageToText5)); text to image R@1 \(percent(retrieval.textToImage1)), R@5 "
      + "\(percent(retrieval.textToImage5))"
    if let zeroShot, let zeroShotClasses {
      text += "; zero-shot \(percent(zeroShot)) of \(zeroShotClasses) classes"
    }
    return text
  }
}
