public import BanyanFoundation
public import BanyanTensor

/// CLIP's vision transformer: pixels to features.
///
/// A patch embedding, a class token and learned positions, a layer norm, the blocks, and a projection of the class token.
/// It takes a ``PromptInjection`` and never learns which method made it.
///
/// Paper: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, arXiv:2103.00020.
public struct ImageTower: Sendable {
  /// The geometry.
  public let configuration: CLIPConfiguration
  let patchEmbedding: Tensor
  let classEmbedding: Tensor
  let positionEmbedding: Tensor
  let preNorm: LayerNorm
  package let blocks: [TransformerBlock]
  private let twins: [FusedTwin]
  let postNorm: LayerNorm
  let projection: Linear

  init(_ configuration: CLIPConfiguration, _ tree: ParameterTree, precision: TowerPrecision = .fp32) throws {
    self.configuration = configuration
    let epsilon = configuration.image.epsilon
    patchEmbedding = try tree.require("image.patchEmbedding.weight")
    classEmbedding = try tree.require("image.classEmbedding")
    positionEmbedding = try tree.require("image.positionEmbedding.weight")
    preNorm = try LayerNorm(tree, "image.preNorm", epsilon: epsilon)
    blocks = try (0..<configuration.image.layers).map {
      try TransformerBlock(tree, "image.blocks.\($0)", configuration.image, precision)
    }
    twins = blocks.map { FusedTwin($0, precision) }
    postNorm = try LayerNorm(tree, "image.postNorm", epsilon: epsilon)
    projection = try Linear(tree, "image.projection", hasBias: false)
  }

  /// The root mean square of the class embedding's entries, before the norm in front of the blocks.
  public func tokenScale() throws -> Double { try classEmbedding.to(.float64).squared().mean().item().squareRoot() }

  /// Where the weights live.
  public var device: Device { patchEmbedding.device }

  /// How the same features are computed.
  public enum EncodingPath: String, NamedChoice {
    /// Every block out of single ops, as published. The twin that the other is tested against.
    case plain
    /// Every block as one op: prompts that the next layer replaces give keys and values alone, and the last block computes
    /// the class token alone. Weights that are not kept in fp32 on the processor take the plain way.
    case fused
  }

  /// The features of pictures.
  ///
  /// - Parameters:
  ///   - pixels: [batch, 3, size, size], normalised.
  ///   - injection: One prompt (`promptCount` 1) that all pictures share.
  ///   - path: Which of the two ways that give the same numbers.
  /// - Returns: [batch, projection]; not normalised.
  public func features(_ pixels: Tensor, injection: PromptInjection = .none, path: EncodingPath = .fused) throws
    -> Tensor
  {
    try injection.check(width: configuration.image.width, depth: blocks.count, tower: "image")
    guard injection.promptCount == 1 else {
      throw BanyanError(.usage, at: "image prompts", "expected one prompt, found \(injection.promptCount)")
    }
    var x = try embed(pixels)
    var prompts = 0
    for (layer, block) in blocks.enumerated() {
      let isLast = layer == blocks.count - 1
      var tokens = injection.layers[layer]
      let twin = path == .fused ? try twins[layer]() : nil
      // Outputs at these prompts are thrown away: at the next layer, or at the end.
      let isPassing = twin != nil && (isLast || injection.layers[layer + 1] != nil)
      if let own = tokens {
        x = try PromptSplice.replace(x, after: 1, removing: prompts, with: isPassing ? nil : own)
        prompts = isPassing ? 0 : own.extent(1)
      }
      if !isPassing { tokens = nil }
      x = try twin.map { try $0(x, prompts: tokens, wanted: isLast ? 1 : nil) } ?? block(x, causal: false)
    }
    return try projection(postNorm(x.select(1, 0)))  // [batch, projection]
  }

  /// The way that is taken where `path` is asked for: weights elsewhere, or in other numbers, have no fused blocks.
  public func taken(_ path: EncodingPath) -> EncodingPath {
    path == .fused && !twins.allSatisfy(\.exists) ? .plain : path
  }

  /// Pixels to the input of the first block: [batch, 1 + patches, width].
  ///
  /// `tap` sees what the patches' convolution gives.
  package func embed(_ pixels: Tensor, tap: (Tensor) throws -> Tensor = { $0 }) throws -> Tensor {
    let side = configuration.imageSize
    let shape = pixels.shape
    guard shape.count == 4, shape[1...] == [3, side, side] else {
      throw BanyanError(.failed, at: "image tower", "expected pixels [batch, 3, \(side), \(side)], found \(shape)")
    }
    let width = configuration.image.width
    let patches = try tap(pixels.convolution2D(patchEmbedding, stride: configuration.patchSize))
      .reshaped([shape[0], width, configuration.patchCount]).transposed()  // [batch, patches, width]
    let start = try classEmbedding.reshaped([1, 1, width]).expanded([shape[0], 1, width])
    return try preNorm(Tensor.concatenated([start, patches], axis: 1) + positionEmbedding)
  }
}

extension ImageTower {
  /// The features of pictures of which only some patches are seen, for training.
  ///
  /// Patches get their positions before any are dropped, so that the tower knows where those that are left stand; the
  /// class token always stays. Unlike ``features(_:injection:path:)`` it computes the class token alone in the last block, the
  /// only one whose output is read: equal numbers but for the order of sums.
  ///
  /// Paper: Li et al., *Scaling Language-Image Pre-training via Masking*, arXiv:2212.00794.
  ///
  /// - Parameters:
  ///   - pixels: [batch, 3, size, size], normalised.
  ///   - kept: For each picture the patches that stay, row by row from the top left; as many for every picture. `nil`
  ///     keeps all.
  /// - Returns: [batch, projection]; not normalised.
  public func features(_ pixels: Tensor, keeping kept: [[Int]]?) throws -> Tensor {
    var x = try kept.map { try embed(pixels, keeping: $0) } ?? embed(pixels)
    for block in blocks.dropLast() { x = try block(x, causal: false) }
    let first = try x.narrowed(1, start: 0, length: 1)
    guard let last = blocks.last else { return try projection(postNorm(first.select(1, 0))) }
    let (keys, values) = try last.keysAndValues(x)
    let mixed = try last.queries(first).attention(keys: keys, values: values)
    let end = try last.feedForward(first + last.output(last.merge(mixed)))
    return try projection(postNorm(end.select(1, 0)))  // [batch, projection]
  }

  /// Pixels to the input of the first block: [batch, 1 + kept patches, width].
  private func embed(_ pixels: Tensor, keeping kept: [[Int]]) throws -> Tensor {
    let (side, patch, width) = (configuration.imageSize, configuration.patchSize, configuration.image.width)
    let (grid, count) = (side / patch, configuration.patchCount)
    let batch = kept.count
    guard pixels.shape == [batch, 3, side, side], let length = kept.first?.count, length > 0,
      kept.allSatisfy({ $0.count == length && $0.allSatisfy((0..<count).contains) })
    else {
      throw BanyanError(
        .failed, at: "image tower",
        "expected pixels [\(batch), 3, \(side), \(side)] and equally many of \(count) patches for each picture, found "
          + "\(pixels.shape) and \(Set(kept.map(\.count)).sorted()) patches")
    }
    // The convolution as a matrix product, over the patches that stay.
    let patches = try pixels.reshaped([batch, 3, grid, patch, grid, patch]).permuted([0, 2, 4, 1, 3, 5])
      .reshaped([batch * count, 3 * patch * patch])
    let rows = kept.enumerated().flatMap { row, places in places.map { row * count + $0 } }
    let content = try patches.gathered(0, .indices(rows, device: pixels.device))
      .linear(patchEmbedding.reshaped([width, 3 * patch * patch]))
    let places = try positionEmbedding.gathered(0, .indices(kept.joined().map { $0 + 1 }, device: pixels.device))
    let start = try (classEmbedding + positionEmbedding.select(0, 0)).reshaped([1, 1, width])
      .expanded([batch, 1, width])
    return try preNorm(Tensor.concatenated([start, (content + places).reshaped([batch, length, width])], axis: 1))
  }
}

/// Exchanging the prompt tokens inside a sequence.
enum PromptSplice {
  /// `x` [rows, tokens, width] with `removing` tokens after the first `after` ones replaced by `tokens`
  /// [1 or rows, count, width], or by nothing.
  static func replace(_ x: Tensor, after: Int, removing: Int, with tokens: Tensor?) throws -> Tensor {
    if tokens == nil, removing == 0 { return x }
    let (rows, length, width) = (x.extent(0), x.extent(1), x.extent(2))
    var parts = [try x.narrowed(1, start: 0, length: after)]
    if let tokens {
      parts.append(tokens.extent(0) == rows ? tokens : try tokens.expanded([rows, tokens.extent(1), width]))
    }
    let rest = after + removing
    if rest < length { parts.append(try x.narrowed(1, start: rest, length: length - rest)) }
    return try Tensor.concatenated(parts, axis: 1)
  }
}
