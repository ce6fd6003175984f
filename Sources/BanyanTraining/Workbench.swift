public import BanyanCLIP
import BanyanFoundation
public import BanyanPrompts
public import BanyanTensor
public import Foundation

/// A checkpoint made ready for work: model, tokenizer, preprocessing and the cache of its features.
public struct Workbench: Sendable {
  /// The checkpoint's folder.
  public let folder: URL
  /// SHA-256 of its weights.
  public let fingerprint: String
  /// The frozen CLIP.
  public let model: CLIPModel
  /// Words to token ids.
  public let tokenizer: CLIPTokenizer
  /// Pictures to pixels.
  public let preprocessor: ImagePreprocessor
  /// Pictures to features.
  public let extractor: FeatureExtractor

  /// Reads everything that lies in `folder`.
  ///
  /// - Parameters:
  ///   - folder: The checkpoint's folder.
  ///   - device: Where the model's tensors live.
  ///   - precision: In what numbers the frozen towers multiply.
  ///   - imagePath: Which way pictures take through the image tower.
  ///   - cache: The root of the feature cache; `nil` keeps nothing.
  public init(
    model folder: URL, device: Device = .cpu, precision: TowerPrecision = .fp32,
    imagePath: ImageTower.EncodingPath = .fused, cache: URL?
  ) throws {
    try device.checked()
    let checkpoint = try Checkpoint(folder: folder)
    self.folder = folder
    fingerprint = try checkpoint.fingerprint()
    model = try checkpoint.model(device: device, precision: precision)
    tokenizer = try CLIPTokenizer(folder: folder)
    guard tokenizer.vocabularySize <= model.configuration.vocabularySize else {
      throw BanyanError(
        .malformed, at: folder.path,
        "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(model.configuration.vocabularySize)",
        remedy: "Check that tokenizer and weights belong together.")
    }
    preprocessor = try Self.preprocessor(of: checkpoint)
    let store = FeatureCache(
      root: cache, model: fingerprint,
      preprocessing: "\(preprocessor.fingerprint)\ndevice \(device.rawValue)\n\(precision.rawValue)"
        + (imagePath == .fused ? "" : "\n\(imagePath.rawValue)"),
      width: model.configuration.projectionWidth)
    extractor = try FeatureExtractor(model: model, preprocessor: preprocessor, path: imagePath, cache: store)
  }

  /// The checkpoint's own preprocessing, or CLIP's where it has none.
  static func preprocessor(of checkpoint: Checkpoint) throws -> ImagePreprocessor {
    let file = checkpoint.folder.appendingPathComponent("preprocessor_config.json")
    guard FileManager.default.fileExists(atPath: file.path) else {
      return try ImagePreprocessor(imageSize: checkpoint.configuration.imageSize)
    }
    return try ImagePreprocessor(contentsOf: file)
  }
}
