public import BanyanTensor

extension ImageTower: ProbeNetwork {
  public var filterLayers: [FilterLayer] {
    var layers = [patchLayer]
    for (index, block) in blocks.enumerated() {
      layers += Self.parts.map {
        FilterLayer(name: Self.name(index, $0.name), kind: .linear, weight: $0.linear(block).weight)
      }
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
    let token = try tokens(pixels, tap: tap).narrowed(1, start: 0, length: 1)  // [batch, 1, width]
    return try through("image.projection", projection, token, tap).select(1, 0).normalized()
  }

  /// The patches' tokens behind the last block and its norm, where their patches stand; no projection has part in them.
  public func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let tokens = try tokens(pixels, tap: tap)
    let side = configuration.imageSize / configuration.patchSize
    return try tokens.narrowed(1, start: 1, length: tokens.extent(1) - 1).transposed()
      .reshaped([tokens.extent(0), tokens.extent(2), side, side])
  }

  private func through(_ name: String, _ linear: Linear, _ x: Tensor, _ tap: FilterTap) throws -> Tensor {
    try tap(FilterLayer(name: name, kind: .linear, weight: linear.weight), x, linear(x))
  }

  /// All tokens behind the last block and its norm.  // [batch, 1 + patches, width]
  private func tokens(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    var x = try embed(pixels) { try tap(patchLayer, pixels, $0) }
    for (index, block) in blocks.enumerated() {
      func part(_ name: String, _ linear: Linear, _ x: Tensor) throws -> Tensor {
        try through(Self.name(index, name), linear, x, tap)
      }
      let (queries, keys, values) = try block.split(part("attention.qkv", block.queryKeyValue, block.norm1(x)))
      let mixed = try block.merge(queries.attention(keys: keys, values: values))
      x = try x + part("attention.output", block.output, mixed)
      let hidden = try block.activated(part("mlp.input", block.mlpInput, block.norm2(x)))
      x = try x + part("mlp.output", block.mlpOutput, hidden)
    }
    return try postNorm(x)
  }
}
