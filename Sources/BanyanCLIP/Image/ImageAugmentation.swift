public import BanyanFoundation
import Foundation

/// CoOp's training view of a picture: a random part of it, resized to the crop, perhaps mirrored, normalised.
///
/// The part's area is U(minimumScale, maximumScale) of the picture's and its ratio w / h is
/// exp U(log minimumRatio, log maximumRatio), as in torchvision's `RandomResizedCrop`. Unlike ``ImagePreprocessor``,
/// which always sees the centre, every call gives another view; the view is a function of the generator's state.
public struct ImageAugmentation: Sendable, Equatable {
  /// The smallest part of the picture's area, above 0.
  public let minimumScale: Double
  /// The largest part of the picture's area, at most 1.
  public let maximumScale: Double
  /// The smallest width over height.
  public let minimumRatio: Double
  /// The largest width over height.
  public let maximumRatio: Double
  /// How often the view is mirrored, from 0 to 1.
  public let flipProbability: Double
  /// The kernel of the resize.
  public let filter: ResamplingFilter

  /// CoOp's settings: 8 % to all of the area, ratios 3:4 to 4:3, mirrored half of the time, bicubic.
  public init() {
    minimumScale = 0.08
    maximumScale = 1
    minimumRatio = 3.0 / 4
    maximumRatio = 4.0 / 3
    flipProbability = 0.5
    filter = .bicubic
  }

  /// Creates an augmentation of other strength.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the setting that is out of range.
  public init(
    scale: ClosedRange<Double>, ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3, flipProbability: Double = 0.5,
    filter: ResamplingFilter = .bicubic
  ) throws {
    try self.init(
      minimumScale: scale.lowerBound, maximumScale: scale.upperBound, minimumRatio: ratio.lowerBound,
      maximumRatio: ratio.upperBound, flipProbability: flipProbability, filter: filter)
  }

  private init(
    minimumScale: Double, maximumScale: Double, minimumRatio: Double, maximumRatio: Double, flipProbability: Double,
    filter: ResamplingFilter
  ) throws {
    func check(_ holds: Bool, _ name: String, _ expected: String, _ found: Double) throws {
      guard holds else { throw BanyanError(.usage, at: "augmentation.\(name)", "expected \(expected), found \(found)") }
    }
    try check(minimumScale > 0 && minimumScale <= 1, "minimumScale", "above 0 and at most 1", minimumScale)
    try check(
      maximumScale >= minimumScale && maximumScale <= 1, "maximumScale", "\(minimumScale) to 1", maximumScale)
    try check(minimumRatio >= 0.01 && minimumRatio <= 100, "minimumRatio", "0.01 to 100", minimumRatio)
    try check(
      maximumRatio >= minimumRatio && maximumRatio <= 100, "maximumRatio", "\(minimumRatio) to 100", maximumRatio)
    try check(flipProbability >= 0 && flipProbability <= 1, "flipProbability", "0 to 1", flipProbability)
    self.minimumScale = minimumScale
    self.maximumScale = maximumScale
    self.minimumRatio = minimumRatio
    self.maximumRatio = maximumRatio
    self.flipProbability = flipProbability
    self.filter = filter
  }

  /// One view of `image`, at the crop size and with the rescaling and normalisation of `preprocessor`.
  /// // [3, outputHeight, outputWidth]
  public func callAsFunction(
    _ image: PixelImage, preprocessor: ImagePreprocessor, generator: inout SeededGenerator
  ) -> [Float] {
    let region = region(width: image.width, height: image.height, generator: &generator)
    let (width, height) = (preprocessor.outputWidth, preprocessor.outputHeight)
    let whole = PixelRegion(x: 0, y: 0, width: width, height: height)
    let view = image.resampled(from: region, width: width, height: height, window: whole, filter: filter)
    return preprocessor.normalised(generator.uniform() < flipProbability ? view.mirrored() : view)
  }

  /// Draws the part of a picture of `width` × `height` that a view shows; always inside the picture.
  ///
  /// After ten draws that do not fit, it is the largest centred part of an allowed ratio.
  public func region(width: Int, height: Int, generator: inout SeededGenerator) -> PixelRegion {
    let area = Double(width) * Double(height)
    let logRatios = log(minimumRatio)...log(maximumRatio)
    for _ in 0..<10 {
      let part = area * (minimumScale + (maximumScale - minimumScale) * generator.uniform())
      let spread = logRatios.upperBound - logRatios.lowerBound
      let ratio = exp(logRatios.lowerBound + spread * generator.uniform())
      let partWidth = Int((part * ratio).squareRoot().rounded(.toNearestOrEven))
      let partHeight = Int((part / ratio).squareRoot().rounded(.toNearestOrEven))
      guard (1...width).contains(partWidth), (1...height).contains(partHeight) else { continue }
      let y = generator.integer(below: height - partHeight + 1)
      let x = generator.integer(below: width - partWidth + 1)
      return PixelRegion(x: x, y: y, width: partWidth, height: partHeight)
    }
    var (partWidth, partHeight) = (width, height)
    let ratio = Double(width) / Double(height)
    if ratio < minimumRatio {
      partHeight = Int((Double(width) / minimumRatio).rounded(.toNearestOrEven))
    } else if ratio > maximumRatio {
      partWidth = Int((Double(height) * maximumRatio).rounded(.toNearestOrEven))
    }
    partWidth = min(max(partWidth, 1), width)
    partHeight = min(max(partHeight, 1), height)
    return PixelRegion(
      x: (width - partWidth) / 2, y: (height - partHeight) / 2, width: partWidth, height: partHeight)
  }
}

extension ImageAugmentation: Codable {
  private enum CodingKeys: String, CodingKey {
    case minimumScale, maximumScale, minimumRatio, maximumRatio, flipProbability, filter
  }

  /// Decodes the settings; absent ones are CoOp's.
  ///
  /// - Throws: A `BanyanError` that names the setting that is out of range.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let standard = ImageAugmentation()
    func number(_ key: CodingKeys, _ value: Double) throws -> Double {
      try container.decodeIfPresent(Double.self, forKey: key) ?? value
    }
    try self.init(
      minimumScale: number(.minimumScale, standard.minimumScale),
      maximumScale: number(.maximumScale, standard.maximumScale),
      minimumRatio: number(.minimumRatio, standard.minimumRatio),
      maximumRatio: number(.maximumRatio, standard.maximumRatio),
      flipProbability: number(.flipProbability, standard.flipProbability),
      filter: container.decodeIfPresent(ResamplingFilter.self, forKey: .filter) ?? standard.filter)
  }
}
