import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import Foundation

/// The random weights that a pre-training starts from.
///
/// The deviations are those of CLIP's text tower, used for both towers: `width^-½` into attention, `(2 width)^-½` into
/// MLPs, and `width^-½ (2 layers)^-½` back to the residual stream, so that its variance does not grow with depth. Biases
/// are zero and norms are one.
enum InitialWeights {
  /// All weights of a geometry; every tensor has a stream of its own.
  static func make(_ configuration: CLIPConfiguration, temperature: Double, seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    for (path, shape) in CLIPParameters.shapes(configuration) {
      if path == "logitScale" {
        tree[path] = try .full([], -log(temperature))
      } else if let deviation = deviation(path, configuration) {
        var generator = SeededGenerator(seed: seed, label: "initial \(path)")
        tree[path] = try .normal(shape, deviation: deviation, generator: &generator)
      } else {
        tree[path] = try .full(shape, path.hasSuffix(".weight") ? 1 : 0)
      }
    }
    return tree
  }

  /// The deviation of a random tensor; `nil` for norms and biases.
  private static func deviation(_ path: String, _ configuration: CLIPConfiguration) -> Double? {
    let tower = path.hasPrefix("text.") ? configuration.text : configuration.image
    let root = pow(Double(tower.width), -0.5)
    let toStream = root * pow(2 * Double(tower.layers), -0.5)
    switch path {
    case "text.tokenEmbedding.weight": return 0.02
    case "text.positionEmbedding.weight": return 0.01
    case "image.patchEmbedding.weight": return 1 / Double(configuration.patchSize) / 3.0.squareRoot()
    case "image.classEmbedding", "image.positionEmbedding.weight": return root
    case "text.projection.weight", "image.projection.weight": return root
    default: break
    }
    if path.hasSuffix("attention.qkv.weight") { return root }
    if path.hasSuffix("attention.output.weight") || path.hasSuffix("mlp.output.weight") { return toStream }
    return path.hasSuffix("mlp.input.weight") ? root / 2.0.squareRoot() : nil
  }
}
