import BanyanFoundation
public import Foundation

/// The geometry of a CLIP: everything that `config.json` says about both towers.
public struct CLIPConfiguration: Sendable, Equatable, Codable {
  /// The activation between the two layers of an MLP.
  public enum Activation: String, Sendable, Codable {
    /// `x · σ(1.702 x)`, as OpenAI's weights want.
    case quickGELU = "quick_gelu"
    /// `x Φ(x)`.
    case gelu
  }

  /// What both towers have.
  public struct Transformer: Sendable, Equatable, Codable {
    /// Width of the residual stream.
    public var width: Int
    /// Number of blocks.
    public var layers: Int
    /// Attention heads per block.
    public var heads: Int
    /// Width inside an MLP.
    public var mlpWidth: Int
    /// The MLP's activation.
    public var activation: Activation
    /// What layer norm adds to the variance.
    public var epsilon: Double

    /// Creates the geometry of a tower's blocks.
    public init(width: Int, layers: Int, heads: Int, mlpWidth: Int, activation: Activation, epsilon: Double) {
      self.width = width
      self.layers = layers
      self.heads = heads
      self.mlpWidth = mlpWidth
      self.activation = activation
      self.epsilon = epsilon
    }
  }

  /// The text tower's blocks.
  public var text: Transformer
  /// How many tokens the vocabulary has.
  public var vocabularySize: Int
  /// How many positions a text may have.
  public var contextLength: Int

  /// The image tower's blocks.
  public var image: Transformer
  /// Side of the square input in pixels.
  public var imageSize: Int
  /// Side of a patch in pixels.
  public var patchSize: Int

  /// Width of the space that both towers project to.
  public var projectionWidth: Int

  /// Creates a geometry.
  public init(
    text: Transformer, vocabularySize: Int, contextLength: Int, image: Transformer, imageSize: Int, patchSize: Int,
    projectionWidth: Int
  ) {
    self.text = text
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.image = image
    self.imageSize = imageSize
    self.patchSize = patchSize
    self.projectionWidth = projectionWidth
  }

  /// Patches per picture.
  public var patchCount: Int { (imageSize / patchSize) * (imageSize / patchSize) }

  /// `ViT-B/16-like: image 224 px, patch 16, width 768 × 12 layers; …`, in words.
  public var summary: String {
    "image \(imageSize) px, patch \(patchSize), width \(image.width), \(image.layers) layers; "
      + "text width \(text.width), \(text.layers) layers; projection \(projectionWidth)"
  }
}

extension CLIPConfiguration {
  /// Reads Hugging Face's `config.json` or open_clip's `open_clip_config.json`.
  ///
  /// - Throws: A `BanyanError` that names the file and the key.
  public init(contentsOf url: URL) throws {
    let document: JSONValue = try JSONDocument.read(from: url)
    if document["model_cfg"] != nil {
      try self.init(openCLIP: ConfigurationReader(document, subject: url.path))
    } else {
      try self.init(huggingFace: ConfigurationReader(document, subject: url.path))
    }
    try check(url.path)
  }

  private init(huggingFace file: ConfigurationReader) throws {
    if let kind = file.value["model_type"]?.stringValue, kind != "clip" {
      throw BanyanError(.malformed, at: "\(file.subject): model_type", "expected clip, found \(kind)")
    }
    func transformer(_ key: String, _ widths: (width: Int, layers: Int, heads: Int, mlp: Int)) throws -> Transformer {
      Transformer(
        width: try file.integer("\(key).hidden_size", default: widths.width),
        layers: try file.integer("\(key).num_hidden_layers", default: widths.layers, limit: Self.layerLimit),
        heads: try file.integer("\(key).num_attention_heads", default: widths.heads),
        mlpWidth: try file.integer("\(key).intermediate_size", default: widths.mlp),
        activation: try file.activation("\(key).hidden_act"),
        epsilon: try file.number("\(key).layer_norm_eps", default: 1e-5))
    }
    // What transformers takes for keys that a file leaves out: ViT-B/32.
    text = try transformer("text_config", (512, 12, 8, 2048))
    vocabularySize = try file.integer("text_config.vocab_size", default: 49408)
    contextLength = try file.integer("text_config.max_position_embeddings", default: 77)
    image = try transformer("vision_config", (768, 12, 12, 3072))
    imageSize = try file.integer("vision_config.image_size", default: 224)
    patchSize = try file.integer("vision_config.patch_size", default: 32)
    projectionWidth = try file.integer("projection_dim", default: 512)
  }

  private init(openCLIP file: ConfigurationReader) throws {
    let activation: Activation = file.value[path: "model_cfg.quick_gelu"]?.boolValue == true ? .quickGELU : .gelu
    let textWidth = try file.integer("model_cfg.text_cfg.width", default: 512)
    text = Transformer(
      width: textWidth, layers: try file.integer("model_cfg.text_cfg.layers", default: 12, limit: Self.layerLimit),
      heads: try file.integer("model_cfg.text_cfg.heads", default: 8),
      mlpWidth: try file.multiple("model_cfg.text_cfg.mlp_ratio", of: textWidth, default: 4),
      activation: activation, epsilon: 1e-5)
    vocabularySize = try file.integer("model_cfg.text_cfg.vocab_size", default: 49408)
    contextLength = try file.integer("model_cfg.text_cfg.context_length", default: 77)
    let imageWidth = try file.integer("model_cfg.vision_cfg.width", default: 768)
    let headWidth = try file.integer("model_cfg.vision_cfg.head_width", default: 64)
    image = Transformer(
      width: imageWidth, layers: try file.integer("model_cfg.vision_cfg.layers", default: 12, limit: Self.layerLimit),
      heads: max(1, imageWidth / headWidth),
      mlpWidth: try file.multiple("model_cfg.vision_cfg.mlp_ratio", of: imageWidth, default: 4),
      activation: activation, epsilon: 1e-5)
    imageSize = try file.integer("model_cfg.vision_cfg.image_size", default: 224)
    patchSize = try file.integer("model_cfg.vision_cfg.patch_size", default: 16)
    projectionWidth = try file.integer("model_cfg.embed_dim", default: 512)
  }

  /// More layers than any tower has; a damaged number is refused before it is counted to.
  private static let layerLimit = 4096

  private func check(_ subject: String) throws {
    for (name, tower) in [("text tower", text), ("image tower", image)] where tower.width % tower.heads != 0 {
      throw BanyanError(
        .malformed, at: "\(subject): \(name)", "width \(tower.width) is not a multiple of \(tower.heads) heads")
    }
    guard imageSize % patchSize == 0 else {
      throw BanyanError(
        .malformed, at: "\(subject): patch_size", "image size \(imageSize) is not a multiple of \(patchSize)")
    }
  }
}

/// Typed access to a configuration file, with errors that name the key.
struct ConfigurationReader {
  let value: JSONValue
  let subject: String

  init(_ value: JSONValue, subject: String) {
    self.value = value
    self.subject = subject
  }

  func integer(_ path: String, default fallback: Int, limit: Int = 1 << 24) throws -> Int {
    guard let found = value[path: path] else { return fallback }
    guard let number = found.intValue, (1...limit).contains(number) else {
      let value = found.intValue.map { "\($0)" } ?? found.doubleValue.map { "\($0)" } ?? found.kindName
      throw BanyanError(
        .malformed, at: "\(subject): \(path)", "expected a positive integer up to \(limit), found \(value)")
    }
    return number
  }

  /// The width that the ratio at `path` makes of `width`.
  func multiple(_ path: String, of width: Int, default fallback: Double) throws -> Int {
    let product = Double(width) * (try number(path, default: fallback))
    guard product >= 1, product <= Double(1 << 24) else {
      throw BanyanError(
        .malformed, at: "\(subject): \(path)",
        "expected a ratio that makes 1 to \(1 << 24) of \(width), found \(product)")
    }
    return Int(product)
  }

  func number(_ path: String, default fallback: Double) throws -> Double {
    guard let found = value[path: path] else { return fallback }
    guard let number = found.doubleValue, number > 0, number.isFinite else {
      throw BanyanError(.malformed, at: "\(subject): \(path)", "expected a positive number, found \(found.kindName)")
    }
    return number
  }

  func activation(_ path: String) throws -> CLIPConfiguration.Activation {
    guard let found = value[path: path] else { return .quickGELU }
    guard let name = found.stringValue, let activation = CLIPConfiguration.Activation(rawValue: name) else {
      throw BanyanError(
        .malformed, at: "\(subject): \(path)",
        "expected quick_gelu or gelu, found \(found.stringValue ?? found.kindName)")
    }
    return activation
  }
}
