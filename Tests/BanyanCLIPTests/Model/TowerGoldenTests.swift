import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// Whole towers against transformers: hidden states, features, logits, in both precisions.
@Suite struct TowerGoldenTests {
  private static let models = [("tiny-clip", "clip/clip"), ("tiny-clip-gelu", "clip/clip-gelu")]

  private func prompts() throws -> [String] {
    try #require(try Golden.json("clip/prompts")["prompts"]?.arrayValue).compactMap(\.stringValue)
  }

  /// The golden's ids without the padding behind the first end token.
  private func sentences(_ golden: Golden, end: Int32) throws -> [ClassTokens] {
    let ids = try golden("ids")
    let (rows, length) = (ids.extent(0), ids.extent(1))
    let flat = try ids.integers().map(Int32.init)
    return (0..<rows).map { row in
      let all = flat[row * length..<(row + 1) * length]
      return ClassTokens(sentence: all.prefix { $0 != end } + [end])
    }
  }

  /// Features, unit features and logits of one model, by the names of the golden.
  private func features(_ clip: TinyCLIP, _ golden: Golden, _ ways: EncodingWays) throws -> [String: Tensor] {
    let text = try clip.model.text.features(sentences(golden, end: clip.tokenizer.endToken), path: ways.text)
      .select(0, 0)
    let image = try clip.model.image.features(golden("pixels").to(clip.dtype), path: ways.image)
    let (textUnit, imageUnit) = (try text.normalized(), try image.normalized())
    return [
      "text_features": text, "text_unit": textUnit, "image_features": image, "image_unit": imageUnit,
      "logits_per_image": try imageUnit.matmul(textUnit.transposed()) * clip.model.logitScale,
    ]
  }

  @Test(arguments: models, EncodingWays.all)
  func `features and logits equal transformers'`(
    _ model: (checkpoint: String, golden: String), ways: EncodingWays
  ) throws {
    let golden = try Golden(model.golden)
    for (key, value) in try features(TinyCLIP(model.checkpoint), golden, ways) {
      try agree(value, golden(key), "\(model.checkpoint) \(key)", within: .at(.tower))
    }
  }

  @Test(arguments: models, EncodingWays.all)
  func `in double precision they are equal to twelve digits`(
    _ model: (checkpoint: String, golden: String), ways: EncodingWays
  ) throws {
    let golden = try Golden(model.golden)
    for (key, value) in try features(TinyCLIP(model.checkpoint, dtype: .float64), golden, ways) {
      try agree(value, golden("float64." + key), "\(model.checkpoint) \(key)", within: .at(.tower, .float64))
    }
  }

  @Test(arguments: models)
  func `the tokenizer gives the goldens' ids`(_ model: (checkpoint: String, golden: String)) throws {
    let clip = try TinyCLIP(model.checkpoint)
    let ids = try Golden(model.golden)("ids")
    let flat = try ids.integers().map(Int32.init)
    let texts = try prompts()
    #expect(texts.count == ids.extent(0))
    for (row, text) in texts.enumerated() {
      let encoding = clip.tokenizer.encode(text)
      let padding = [Int32](repeating: clip.tokenizer.endToken, count: ids.extent(1) - encoding.ids.count)
      #expect(Array(flat[row * ids.extent(1)..<(row + 1) * ids.extent(1)]) == encoding.ids + padding, "\(text)")
      #expect(encoding.isTruncated == (row == texts.count - 1))
    }
  }

  @Test func `hidden states of the text tower equal transformers' layer by layer`() throws {
    let golden = try Golden("clip/clip")
    let tower = try TinyCLIP().model.text
    let ids = try golden("ids").integers().map(Int32.init)
    let rows = [0, 3]
    let embedded = try tower.embeddings(of: rows.flatMap { Array(ids[$0 * 77..<($0 + 1) * 77]) })
    var x = try embedded.reshaped([rows.count, 77, tower.configuration.text.width]) + tower.positionEmbedding
    for layer in 0...tower.blocks.count {
      try agree(
        x.narrowed(1, start: 0, length: 24), golden("text_hidden.\(layer)"), "text_hidden.\(layer)", within: .at(.tower)
      )
      if layer < tower.blocks.count { x = try tower.blocks[layer](x, causal: true) }
    }
  }

  @Test func `hidden states of the image tower equal transformers' layer by layer`() throws {
    let golden = try Golden("clip/clip")
    let tower = try TinyCLIP().model.image
    var x = try tower.embed(golden("pixels").narrowed(0, start: 0, length: 1))
    for layer in 0...tower.blocks.count {
      try agree(x, golden("image_hidden.\(layer)"), "image_hidden.\(layer)", within: .at(.tower))
      if layer < tower.blocks.count { x = try tower.blocks[layer](x, causal: false) }
    }
  }

  @Test(arguments: ["fp16", "bf16"], EncodingWays.all)
  func `half weights are widened and computed with in single precision`(_ kind: String, _ ways: EncodingWays) throws {
    let golden = try Golden("clip/clip")
    let clip = try TinyCLIP("tiny-clip-\(kind)")
    #expect(clip.model.parameters.tensors.allSatisfy { $0.dtype == .float32 })
    for (key, value) in try features(clip, golden, ways) where golden.contains("\(kind).\(key)") {
      try agree(value, golden("\(kind).\(key)"), "\(kind).\(key)", within: .at(.tower))
    }
    // They are other weights than the full ones: a loader that read the wrong file would pass the line above only once.
    let full = try TinyCLIP().model.parameters
    #expect(try full.differingPaths(from: clip.model.parameters).count > full.count / 2)
  }

  @Test(arguments: ["tiny-clip-sharded", "tiny-clip-openclip"], EncodingWays.all)
  func `other layouts of the same weights are the same to the bit`(_ checkpoint: String, _ ways: EncodingWays) throws {
    let (plain, other) = (try TinyCLIP(), try TinyCLIP(checkpoint))
    #expect(try plain.model.parameters.differingPaths(from: other.model.parameters) == [])
    #expect(plain.model.configuration == other.model.configuration)
    #expect(plain.model.logitScale == other.model.logitScale)
    let golden = try Golden("clip/clip")
    let (a, b) = (try features(plain, golden, ways), try features(other, golden, ways))
    for (key, value) in a { #expect(try value.isIdentical(to: #require(b[key])), "\(key)") }
  }
}
