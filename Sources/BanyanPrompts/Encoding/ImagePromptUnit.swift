import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// Free tokens right after the class token of every picture, new ones at each of the first layers.
///
/// Parameters `image.<layer>` [length, width], uniform in ±√(6 / (3 · patch² + width)): Xavier's bound for a patch
/// embedding, as Jia et al., *Visual Prompt Tuning*, ECCV 2022, start them.
struct ImagePromptUnit: PromptUnit {
  let textLength = 0
  let promptsImages = true
  private let length: Int
  private let layers: Int
  private let width: Int
  private let bound: Double

  /// - Parameter depth: The first so many layers; `nil` for all.
  init(length: Int, depth: Int?, model: CLIPConfiguration) throws {
    try Self.check(length, "length", in: 1...4096)
    if let depth { try Self.check(depth, "depth", in: 1...model.image.layers) }
    self.length = length
    layers = depth ?? model.image.layers
    width = model.image.width
    bound = (6 / Double(3 * model.patchSize * model.patchSize + width)).squareRoot()
  }

  func start(for tasks: [PromptTask], _ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    for layer in 0..<layers {
      unit["image.\(layer)"] = try .uniform([length, width], bound: bound, generator: &generator)
    }
    return unit
  }

  func prompts(_ parameter: (String) throws -> Tensor) throws -> TowerPrompts {
    TowerPrompts(
      image: try Dictionary(uniqueKeysWithValues: (0..<layers).map { ($0, try parameter("image.\($0)")) }))
  }
}
