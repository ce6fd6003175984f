import BanyanFoundation
import BanyanTensor

extension TextTower {
  /// The features of the shared prefix, block by block as one op.
  ///
  /// All tokens of a prompt stand in one row, the prefix and behind it the names, shortest first: one product serves all
  /// of them, and no name is padded.
  func fusedFeatures(_ layout: TextLayout, _ injection: PromptInjection, packed: Bool) throws -> Tensor {
    let (prompts, classes, own) = (injection.promptCount, layout.suffixes.count, layout.width)
    let width = configuration.text.width
    let lengths = layout.suffixes.map(\.count)
    let order = (0..<classes).sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    let groups = Dictionary(grouping: lengths) { $0 }.map { (count: $0.value.count, length: $0.key) }
      .sorted { $0.length < $1.length }

    let prefix =
      try prefixEmbeddings(layout, injection)
      + positionEmbedding.narrowed(0, start: 0, length: layout.prefixLength)
    let padded =
      try suffixEmbeddings(layout, injection, padTo: own)
      + positionEmbedding.narrowed(0, start: layout.prefixLength, length: own)
    let tokens = order.flatMap { name in (0..<lengths[name]).map { name * own + $0 } }
    let names = try padded.reshaped([padded.extent(0), classes * own, width])
      .gathered(1, .indices(tokens)).expanded([prompts, tokens.count, width])
    var x = try Tensor.concatenated([prefix, names], axis: 1)  // [prompts, prefix + tokens, width]

    var injected = layout.prefixContexts
    for (layer, twin) in twins.enumerated() {
      if layer > 0, let own = injection.layers[layer] {
        x = try PromptSplice.replace(x, after: 1, removing: injected, with: own)
        injected = own.extent(1)
      }
      guard let block = try twin() else {
        throw BanyanError(.failed, at: "text tower", "block \(layer) has no fast way")
      }
      x = try block.texts(
        x, prefix: 1 + injected + layout.common.count, names: groups, endsOnly: layer == blocks.count - 1,
        packed: packed)
    }
    let places = order.enumerated().sorted { $0.element < $1.element }.map(\.offset)
    return try project(x.gathered(1, .indices(places)))  // [prompts, classes, projection]
  }
}
