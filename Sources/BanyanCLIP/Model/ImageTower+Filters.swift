public import BanyanTensor

extension ImageTower: ProbeNetwork {
  public var filterLayers: [FilterLayer] {
    var layers = [patchLayer]
    for (index, block) in blocks.enumerated() {
      layers += Self.parts.map { FilterLayer(name: Self.name(index, $0.name), kind: .linear, weight: $0.linear(block).weight) }
    }
    return layers + [FilterLayer(name: "image.projection", kind: .linear, weight: projection.weight)]
  }

  private static let parts: [(name: String, linear: @Sendable (TransformerBlock) -> Linear)] = [
    ("attention.qkv", { $0.queryKeyValue }), ("attention.output", { $0.output }), ("mlp.input", { $0.mlpInput }),
    ("mlp.output", { $0.mlpOutput }),
  ]

  private static func name(_ block: Int, _ part: String) -> String { "image.blocks.\(block).\(part)" }

  private var patchLayer: FilterLayer {
    FilterLayer(
      name: "image.patchEmbedding",
      kind: .convolution(kernel: configuration.patchSize, stride: configuration.patchSize, padding: 0),
      weight: patchEmbedding)
  }

  /// The features of length one, as ``features(_:injection:path:)`` gives them before they are normalised, with a tap at
  /// every layer: out of single ops, without prompts.
  public func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    func through(_ name: String, _ linear: Linear, _ x: Tensor) throws -> Tensor {
      try tap(FilterLayer(name: name, kind: .linear, weight: linear.weight), x, linear(x))
    }
    var x = try embed(pixels) { try tap(patchLayer, pixels, $0) }
    for (index, block) in blocks.enumerated() {
      func part(_ name: String, _ linear: Linear, _ x: Tensor) throws -> Tensor {
        try through(Self.name(index, name), linear, x)
      }
      let (queries, keys, values) = try block.split(part("attention.qkv", block.queryKeyValue, block.norm1(x)))
      let mixed = try block.merge(queries.attention(keys: keys, values: values))
      x = try x + part("attention.output", block.output, mixed)
      let hidden = try block.activated(part("mlp.input", block.mlpInput, block.norm2(x)))
      x = try x + part("mlp.output", block.mlpOutput, hidden)
    }
    let token = try postNorm(x.narrowed(1, start: 0, length: 1))  // [batch, 1, width]
    return try through("image.projection", projection, token).select(1, 0).normalized()
  }
}
