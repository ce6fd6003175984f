import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// Prompts of both towers from one sequence, whose parts look at each other in one transformer block.
///
///     u ← U + attention(norm₁ U),  z = u + mlp(norm₂ u)        // U [(1 + depth) · length, width]
///     P_text = z[..<length] W_textᵀ + b_text                   // [length, d_text], at the input
///     P_image,k = z[the k-th of the rest] W_imageᵀ + b_image   // [length, d_image], at layer k < depth
///
/// One head, an MLP of four times the width and quick GELU, as a block of CLIP. The sequence starts from N(0, σ²), linear
/// maps uniform in ±1/√inputs with biases at 0, norms as identity. Zang et al., *Unified Vision and Language Prompt
/// Learning*, arXiv:2210.07225, make the prompts of both towers so; order of the norms, width and maps are those of Shen
/// et al., *Multitask Vision-Language Prompt Tuning*, WACV 2024. Dropout, which the first of them has, is left out.
struct UnifiedPromptUnit: PromptUnit {
  let textLength: Int
  let promptsImages = true
  private let depth: Int
  private let width: Int
  private let deviation: Double
  private let widths: (text: Int, image: Int)

  /// - Parameter depth: The first so many layers of the image tower; `nil` for all.
  init(length: Int, depth: Int?, width: Int, deviation: Double, model: CLIPConfiguration) throws {
    try Self.check(length, "length", in: 1...max(1, model.contextLength - 4))
    if let depth { try Self.check(depth, "depth", in: 1...model.image.layers) }
    try Self.check(width, "width", in: 1...4096)
    try Self.check(positive: deviation, "deviation")
    textLength = length
    self.depth = depth ?? model.image.layers
    self.width = width
    self.deviation = deviation
    widths = (model.text.width, model.image.width)
  }

  func start(for tasks: [PromptTask], _ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    unit["tokens"] = try .normal([(1 + depth) * textLength, width], deviation: deviation, generator: &generator)
    for (path, outputs, inputs) in [
      ("block.attention.qkv", 3 * width, width), ("block.attention.output", width, width),
      ("block.mlp.input", 4 * width, width), ("block.mlp.output", width, 4 * width),
      ("text", widths.text, width), ("image", widths.image, width),
    ] {
      let bound = 1 / Double(inputs).squareRoot()
      unit["\(path).weight"] = try .uniform([outputs, inputs], bound: bound, generator: &generator)
      unit["\(path).bias"] = try .zeros([outputs])
    }
    for norm in ["block.norm1", "block.norm2"] {
      unit["\(norm).weight"] = try .full([width], 1)
      unit["\(norm).bias"] = try .zeros([width])
    }
    return unit
  }

  func prompts(_ parameter: (String) throws -> Tensor) throws -> TowerPrompts {
    func linear(_ x: Tensor, _ path: String) throws -> Tensor {
      try x.linear(parameter("\(path).weight"), parameter("\(path).bias"))
    }
    func norm(_ x: Tensor, _ path: String) throws -> Tensor {
      try x.layerNorm(parameter("\(path).weight"), parameter("\(path).bias"), epsilon: 1e-5)
    }
    let tokens = try parameter("tokens")
    let (count, width) = (tokens.extent(0), tokens.extent(1))
    let qkv = try linear(norm(tokens, "block.norm1"), "block.attention.qkv")
    let parts = try (0..<3).map {
      try qkv.narrowed(1, start: $0 * width, length: width).reshaped([1, 1, count, width])
    }
    let mixed = try parts[0].attention(keys: parts[1], values: parts[2]).reshaped([count, width])
    let seen = try tokens + linear(mixed, "block.attention.output")
    let hidden = try linear(norm(seen, "block.norm2"), "block.mlp.input").quickGELU()
    let z = try seen + linear(hidden, "block.mlp.output")

    let text = try linear(z.narrowed(0, start: 0, length: textLength), "text")
    let image = try linear(z.narrowed(0, start: textLength, length: depth * textLength), "image")
    return TowerPrompts(
      text: [0: text],
      image: try Dictionary(
        uniqueKeysWithValues: (0..<depth).map {
          ($0, try image.narrowed(0, start: $0 * textLength, length: textLength))
        }))
  }
}
