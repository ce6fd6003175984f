import BanyanTensor

extension TextTower {
  /// The published way: every class as a sequence of all positions, causal attention over the whole of it.
  func plainFeatures(_ layout: TextLayout, _ injection: PromptInjection) throws -> Tensor {
    let (prompts, classes) = (injection.promptCount, layout.suffixes.count)
    let (length, width) = (configuration.contextLength, configuration.text.width)

    let prefix = try prefixEmbeddings(layout, injection)  // [prompts, prefix, width]
    let suffix = try suffixEmbeddings(layout, injection, padTo: length - layout.prefixLength)
    var x = try Tensor.concatenated(
      [
        prefix.reshaped([prompts, 1, layout.prefixLength, width])
          .expanded([prompts, classes, layout.prefixLength, width]),
        suffix.expanded([prompts, classes, length - layout.prefixLength, width]),
      ], axis: 2
    ).reshaped([prompts * classes, length, width])
    x = try x + positionEmbedding

    var injected = layout.prefixContexts
    for (layer, block) in blocks.enumerated() {
      if layer > 0, let tokens = injection.layers[layer] {
        let count = tokens.extent(1)
        let rows = try tokens.reshaped([prompts, 1, count, width]).expanded([prompts, classes, count, width])
          .reshaped([prompts * classes, count, width])
        x = try PromptSplice.replace(x, after: 1, removing: injected, with: rows)
        injected = count
      }
      x = try block(x, causal: true)
    }
    // Deep prompts may have made the sequence longer or shorter in front of the names.
    let tokens = x.extent(1)
    let shift = 1 + injected - layout.prefixLength
    let ends = (0..<prompts * classes).map {
      $0 * tokens + layout.prefixLength + shift + layout.suffixes[$0 % classes].count - 1
    }
    let rows = try x.reshaped([prompts * classes * tokens, width]).gathered(0, .indices(ends, device: x.device))
    return try project(rows).reshaped([prompts, classes, configuration.projectionWidth])
  }

  /// The shared prefix without positions: [prompts, prefix, width].
  func prefixEmbeddings(_ layout: TextLayout, _ injection: PromptInjection) throws -> Tensor {
    let (prompts, width) = (injection.promptCount, configuration.text.width)
    let start = try embeddings(of: [layout.start]).reshaped([1, 1, width]).expanded([prompts, 1, width])
    var parts = [start]
    if layout.prefixContexts > 0, let context = injection.layers[0] { parts.append(context) }
    if !layout.common.isEmpty {
      let count = layout.common.count
      parts.append(
        try embeddings(of: layout.common).reshaped([1, count, width]).expanded([prompts, count, width]))
    }
    return try Tensor.concatenated(parts, axis: 1)
  }

  /// The suffixes without positions, padded with their end token's embedding: [1 or prompts, classes, length, width].
  func suffixEmbeddings(_ layout: TextLayout, _ injection: PromptInjection, padTo length: Int) throws -> Tensor {
    let (classes, width) = (layout.suffixes.count, configuration.text.width)
    // Every distinct token is looked up once; contexts, where they stand between the names' tokens, follow behind.
    var ids: [Int32] = []
    var place: [Int32: Int] = [:]
    for case .token(let id) in layout.suffixes.joined() where place[id] == nil {
      place[id] = ids.count
      ids.append(id)
    }
    let table = try embeddings(of: ids)  // [ids, width]
    func index(perClassOffset: (Int) -> Int) -> [Int] {
      layout.suffixes.enumerated().flatMap { row, suffix in
        (0..<length).map { position in
          switch suffix[min(position, suffix.count - 1)] {
          case .token(let id): place[id] ?? 0
          case .context(let number): ids.count + perClassOffset(row) + number
          }
        }
      }
    }
    guard layout.suffixContexts > 0, let context = injection.layers[0] else {
      let rows = try table.gathered(0, .indices(index { _ in 0 }, device: table.device))
      return try rows.reshaped([1, classes, length, width])
    }
    let (prompts, count) = (injection.promptCount, layout.suffixContexts)
    let vectors = try context.reshaped([prompts, layout.perClass ? classes * count : count, width])
    let tables = try Tensor.concatenated(
      [table.reshaped([1, ids.count, width]).expanded([prompts, ids.count, width]), vectors], axis: 1)
    let order = index { layout.perClass ? $0 * count : 0 }
    return try tables.gathered(1, .indices(order, device: table.device)).reshaped([prompts, classes, length, width])
  }
}
