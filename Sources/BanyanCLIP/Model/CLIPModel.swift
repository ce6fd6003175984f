import BanyanFoundation
public import BanyanTensor

/// A pre-trained CLIP: an image tower, a text tower and the scale of their inner products.
///
/// It is a value made from a `ParameterTree`: to train a part of it, make it anew from a tree in which that part
/// requires gradients.
public struct CLIPModel: Sendable {
  /// The geometry of both towers.
  public let configuration: CLIPConfiguration
  /// All weights by path.
  public let parameters: ParameterTree
  /// In what numbers the towers multiply where nothing of them is trained.
  public let precision: TowerPrecision
  /// Pixels to features.
  public let image: ImageTower
  /// Token ids to features.
  public let text: TextTower
  /// `exp(logit_scale)`: what cosines are multiplied with.
  public let logitScale: Double

  /// A model over `parameters`, whose paths are those of ``CLIPParameters``.
  public init(_ configuration: CLIPConfiguration, parameters: ParameterTree, precision: TowerPrecision = .fp32) throws {
    self.configuration = configuration
    self.parameters = parameters
    self.precision = precision
    image = try ImageTower(configuration, parameters, precision: precision)
    text = try TextTower(configuration, parameters, precision: precision)
    logitScale = try parameters.require("logitScale").to(.float64).exp().item()
    guard logitScale.isFinite else {
      throw BanyanError(.malformed, at: "logit_scale", "expected a finite number, found \(logitScale)")
    }
  }

  /// The same model on another device.
  public func to(device: Device) throws -> CLIPModel {
    if device == .cpu { return self }
    return try CLIPModel(
      configuration, parameters: parameters.mapTensors { try $1.to(device: device) }, precision: precision)
  }

  /// Where the weights live.
  public var device: Device { text.tokenEmbedding.device }
}

/// The paths and shapes of all weights of a geometry.
public enum CLIPParameters {
  /// What every path must look like.
  public static func shapes(_ configuration: CLIPConfiguration) -> [String: [Int]] {
    let (text, image) = (configuration.text, configuration.image)
    var shapes: [String: [Int]] = [
      "logitScale": [],
      "text.tokenEmbedding.weight": [configuration.vocabularySize, text.width],
      "text.positionEmbedding.weight": [configuration.contextLength, text.width],
      "text.projection.weight": [configuration.projectionWidth, text.width],
      "image.patchEmbedding.weight": [image.width, 3, configuration.patchSize, configuration.patchSize],
      "image.classEmbedding": [image.width],
      "image.positionEmbedding.weight": [1 + configuration.patchCount, image.width],
      "image.projection.weight": [configuration.projectionWidth, image.width],
    ]
    func norm(_ path: String, _ width: Int) {
      shapes["\(path).weight"] = [width]
      shapes["\(path).bias"] = [width]
    }
    func linear(_ path: String, _ input: Int, _ output: Int) {
      shapes["\(path).weight"] = [output, input]
      shapes["\(path).bias"] = [output]
    }
    norm("text.finalNorm", text.width)
    norm("image.preNorm", image.width)
    norm("image.postNorm", image.width)
    for (tower, geometry) in [("text", text), ("image", image)] {
      for layer in 0..<geometry.layers {
        let block = "\(tower).blocks.\(layer)"
        norm("\(block).norm1", geometry.width)
        linear("\(block).attention.qkv", geometry.width, 3 * geometry.width)
        linear("\(block).attention.output", geometry.width, geometry.width)
        norm("\(block).norm2", geometry.width)
        linear("\(block).mlp.input", geometry.width, geometry.mlpWidth)
        linear("\(block).mlp.output", geometry.mlpWidth, geometry.width)
      }
    }
    return shapes
  }
}
