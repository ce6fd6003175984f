import BanyanTensor

extension TextTower {
  /// The same features with what the class names share computed once.
  ///
  /// Attention is causal, so that the start token and the contexts in front of the names see nothing of them: their keys
  /// and values are the same for all classes. A class computes its own tokens only, up to the end token; the last block
  /// only the end token.
  func sharedPrefixFeatures(_ layout: TextLayout, _ injection: PromptInjection) throws -> Tensor {
    let (prompts, classes, own) = (injection.promptCount, layout.suffixes.count, layout.width)
    let width = configuration.text.width

    var prefix = try prefixEmbeddings(layout, injection)
    prefix = try prefix + positionEmbedding.narrowed(0, start: 0, length: layout.prefixLength)
    let positions = try positionEmbedding.narrowed(0, start: layout.prefixLength, length: own)
    var suffix = try suffixEmbeddings(layout, injection, padTo: own) + positions
    suffix = try suffix.expanded([prompts, classes, own, width])

    let mask = try Self.causalMask(own, like: suffix)
    let ends = try Tensor.indices(
      layout.suffixes.enumerated().map { $0.offset * own + $0.element.count - 1 }, device: suffix.device)
    var injected = layout.prefixContexts
    for (layer, block) in blocks.enumerated() {
      if layer > 0, let tokens = injection.layers[layer] {
        prefix = try PromptSplice.replace(prefix, after: 1, removing: injected, with: tokens)
        injected = tokens.extent(1)
      }
      if layer == blocks.count - 1 {
        suffix = try block.lastSuffix(suffix, prefix: prefix, mask: mask, ends: ends)
      } else {
        let mixed = try block.suffix(suffix, prefix: prefix, mask: mask)
        // The next layer throws all but the start token away where it has prompts of its own.
        prefix = try block(prefix, causal: true)
        suffix = mixed
      }
    }
    return try project(suffix)  // [prompts, classes, projection]
  }

  /// 0 where position `i` may see position `j ≤ i`, −∞ elsewhere: [tokens, tokens].
  static func causalMask(_ tokens: Int, like x: Tensor) throws -> Tensor {
    let elements = (0..<tokens * tokens).map { $0 % tokens > $0 / tokens ? -Float.infinity : 0 }
    return try Tensor(elements, shape: [tokens, tokens], device: x.device).to(x.dtype)
  }
}

extension TransformerBlock {
  /// The block over the classes' own tokens, which see the prefix and those before them.
  ///
  /// - Parameters:
  ///   - x: [prompts, classes, tokens, width].
  ///   - prefix: [prompts, prefix, width], the input of the same block.
  func suffix(_ x: Tensor, prefix: Tensor, mask: Tensor) throws -> Tensor {
    let shape = x.shape
    let flat = try x.reshaped([shape[0] * shape[1], shape[2], shape[3]])
    let (queries, keys, values) = try split(queryKeyValue(norm1(flat)))
    let mixed = try attend(queries, keys, values, prefix: keysAndValues(prefix), prompts: shape[0], mask: mask)
    return try feedForward(flat + output(mixed)).reshaped(shape)
  }

  /// The last block, of which only the end tokens are read: [prompts, classes, width].
  ///
  /// - Parameter ends: Where the end tokens stand among classes × tokens.
  func lastSuffix(_ x: Tensor, prefix: Tensor, mask: Tensor, ends: Tensor) throws -> Tensor {
    let shape = x.shape
    let (prompts, classes, tokens, width) = (shape[0], shape[1], shape[2], shape[3])
    let flat = try x.reshaped([prompts * classes, tokens, width])
    let (keys, values) = try keysAndValues(flat)
    let last = try x.reshaped([prompts, classes * tokens, width]).gathered(1, ends)
      .reshaped([prompts * classes, 1, width])
    // The mask's row of each class: what its end token may see.
    let rows = try Tensor.concatenated([Tensor](repeating: mask, count: classes), axis: 0).gathered(0, ends)
    let own = try rows.reshaped([1, classes, 1, 1, tokens])
    let mixed = try attend(
      queries(last), keys, values, prefix: keysAndValues(prefix), prompts: prompts, mask: own)
    return try feedForward(last + output(mixed)).reshaped([prompts, classes, width])
  }

  /// Attention of each class's queries over the prompt's prefix and the class's own tokens, without repeating the
  /// prefix's keys and values for every class.
  ///
  /// - Parameters:
  ///   - queries: [prompts · classes, heads, q, d]; keys and values [prompts · classes, heads, tokens, d].
  ///   - mask: Broadcast to [prompts, classes, heads, q, tokens].
  /// - Returns: [prompts · classes, q, width].
  private func attend(
    _ queries: Tensor, _ keys: Tensor, _ values: Tensor, prefix: (keys: Tensor, values: Tensor), prompts: Int,
    mask: Tensor
  ) throws -> Tensor {
    let shape = queries.shape
    let (classes, count, d) = (shape[0] / prompts, shape[2], shape[3])
    let prefixLength = prefix.keys.extent(2)
    let tokens = keys.extent(2)
    let scaled = try queries.affine(scale: 1 / Double(d).squareRoot())
    // [prompts, heads, classes · q, d]: all classes of a prompt meet its prefix in one product.
    let together = try scaled.reshaped([prompts, classes, heads, count, d]).permuted([0, 2, 1, 3, 4])
      .reshaped([prompts, heads, classes * count, d])
    let toPrefix = try together.matmul(prefix.keys.transposed())
      .reshaped([prompts, heads, classes, count, prefixLength]).permuted([0, 2, 1, 3, 4])
    let toOwn =
      try scaled.matmul(keys.transposed()).reshaped([prompts, classes, heads, count, tokens]) + mask
    let weights = try Tensor.concatenated([toPrefix, toOwn], axis: 4).softmax()
    let prefixWeights = try weights.narrowed(4, start: 0, length: prefixLength).permuted([0, 2, 1, 3, 4])
      .reshaped([prompts, heads, classes * count, prefixLength])
    let ownWeights = try weights.narrowed(4, start: prefixLength, length: tokens)
      .reshaped([prompts * classes, heads, count, tokens])
    let fromPrefix = try prefixWeights.matmul(prefix.values)
      .reshaped([prompts, heads, classes, count, d]).permuted([0, 2, 3, 1, 4])
      .reshaped([prompts * classes, count, heads * d])
    return try fromPrefix + merge(ownWeights.matmul(values))
  }
}
