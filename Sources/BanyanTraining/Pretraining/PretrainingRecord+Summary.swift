import Foundation

extension PretrainingRecord {
  /// What came out, in a few lines for a reader.
  public var summary: String {
    func percent(_ share: Double) -> String { (share * 100).formatted(.number.precision(.fractionLength(1))) + " %" }
    var lines = [
      "\(parameters) weights, \(vocabularySize) tokens, from \(data.trainingPictures) pictures in "
        + "\(Int(seconds.values.reduce(0, +))) s"
    ]
    let rates = picturesPerSecond.sorted { $0.key > $1.key }.map { "\($0.key) \(Int($0.value)) pictures/s" }
    if !rates.isEmpty { lines.append(rates.joined(separator: ", ")) }
    if !attributeAccuracy.isEmpty {
      let words = attributeAccuracy.sorted { $0.key < $1.key }.map { "\($0.key) \(percent($0.value))" }
      lines.append("warm-up, held out: \(words.joined(separator: ", "))")
    }
    if let last = validations.last {
      let scores = last.retrieval
      lines.append(
        "image to text R@1 \(percent(scores.imageToText1)), R@5 \(percent(scores.imageToText5)); "
          + "text to image R@1 \(percent(scores.textToImage1)), R@5 \(percent(scores.textToImage5)) "
          + "(\(scores.pictures) pictures, \(scores.captions) captions)")
      if let zeroShot = last.zeroShot, let classes = last.zeroShotClasses {
        lines.append("zero-shot \(percent(zeroShot)) of \(classes) classes")
      }
    }
    return lines.joined(separator: "\n")
  }
}
