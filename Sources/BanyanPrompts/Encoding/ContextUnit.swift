import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// Free context vectors in front of every class name, and nothing for pictures.
///
/// Parameter `text.0` [length, width] from N(0, σ²).
struct ContextUnit: PromptUnit {
  let textLength: Int
  let promptsImages = false
  private let width: Int
  private let deviation: Double

  init(length: Int, deviation: Double, model: CLIPConfiguration) throws {
    try Self.check(length, "length", in: 1...max(1, model.contextLength - 4))
    try Self.check(positive: deviation, "deviation")
    textLength = length
    width = model.text.width
    self.deviation = deviation
  }

  func start(for tasks: [PromptTask], _ generator: inout SeededGenerator) throws -> ParameterTree {
    ParameterTree(["text.0": try .normal([textLength, width], deviation: deviation, generator: &generator)])
  }

  func prompts(_ parameter: (String) throws -> Tensor) throws -> TowerPrompts {
    TowerPrompts(text: [0: try parameter("text.0")])
  }
}
