import BanyanCLIP
import BanyanTensor
import BanyanTestSupport
import Testing

/// Prompts at deeper layers of the text tower against the goldens: classifier, loss and gradients.
@Suite struct TextInjectionGoldenTests {
  private func check(
    _ prefix: String, _ path: TextTower.EncodingPath, tokens: [(layer: Int, key: String)], gradients: [String],
    names: (TinyCLIP, Golden) throws -> [ClassTokens]
  ) throws {
    let golden = try Golden("prompts/coop")
    let clip = try TinyCLIP()
    let leaves = try tokens.map { try golden($0.key).asParameter() }
    let layers = try zip(tokens, leaves).map { ($0.layer, try $1.reshaped([1, 4, 32])) }
    let injection = PromptInjection(layers: Dictionary(uniqueKeysWithValues: layers))
    let weights = try clip.model.text.features(names(clip, golden), injection: injection, path: path).select(0, 0)
      .normalized()
    try agree(weights, golden(prefix + ".classifier"), prefix + ".classifier", within: .at(.tower))
    let logits = try golden("x").matmul(weights.transposed()) * clip.model.logitScale
    let loss = try logits.crossEntropy(golden("labels"))
    try agree([loss.item()], [golden.number(prefix + ".loss")], prefix + ".loss", within: .at(.tower))
    for (key, gradient) in zip(gradients, try Gradients.of([loss], with: leaves)) {
      try agree(gradient, golden(prefix + key), prefix + key, within: .at(.gradient))
    }
  }

  private static let classNames = ["cat", "red fox", "wooden chair", "grand piano", "swiss army knife"]

  @Test(arguments: TextTower.EncodingPath.allCases)
  func `prompts at every layer equal PyTorch's`(_ path: TextTower.EncodingPath) throws {
    try check(
      "deep_text", path, tokens: (0..<3).map { ($0, "deep_text.context.\($0)") },
      gradients: (0..<3).map { ".gradient.\($0)" }
    ) { clip, _ in clip.names(Self.classNames) }
  }

  @Test(arguments: TextTower.EncodingPath.allCases)
  func `prompts that enter at layer 1 only equal PyTorch's`(_ path: TextTower.EncodingPath) throws {
    try check("inserted_text", path, tokens: [(1, "inserted_text.tokens")], gradients: [".gradient"]) { clip, golden in
      let sentences = clip.sentences(Self.classNames.map { "a photo of a \($0)." })
      let ids = try golden("inserted_text.ids").integers().map(Int32.init)
      for (row, sentence) in sentences.enumerated() {
        let wanted = [sentence.start] + sentence.name + [sentence.end]
        #expect(Array(ids[row * 77..<row * 77 + wanted.count]) == wanted)
      }
      return sentences
    }
  }
}
