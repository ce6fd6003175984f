import BanyanCLIP
import Foundation
import Testing

@Suite struct TokenizerGoldenTests {
  @Test func `ids under the small vocabulary are those of transformers`() throws {
    try agree(CLIPTokenizer(folder: TokenizerGolden.small), "small.json")
  }

  @Test func `ids from tokenizer.json are those of transformers`() throws {
    try agree(CLIPTokenizer(folder: TokenizerGolden.smallJSON), "small.json")
  }

  @Test(
    .enabled(
      if: TokenizerGolden.hasPublished,
      "needs CLIP's vocabulary: ../shared/data/clip-bpe beside the checkout, or BANYAN_CLIP_VOCABULARY"))
  func `ids under the published vocabulary are those of transformers`() throws {
    let tokenizer = try CLIPTokenizer(folder: TokenizerGolden.published)
    #expect(tokenizer.vocabularySize == 49408)
    #expect(tokenizer.encode("a photo of a dog.").ids == [49406, 320, 1125, 539, 320, 1929, 269, 49407])
    try agree(tokenizer, "clip.json")
  }

  @Test func `decoded text is that of transformers without special tokens`() throws {
    let tokenizer = try CLIPTokenizer(folder: TokenizerGolden.small)
    let expected = try TokenizerGolden.expected("small.json")
    let decoded = try #require(expected.decoded)
    #expect(decoded.count >= 1000)
    for (ids, text) in zip(expected.ids, decoded) {
      #expect(Array(tokenizer.decode(ids).unicodeScalars) == Array(text.unicodeScalars), "\(ids)")
    }
  }

  @Test func `a second look at the same texts gives the same ids`() throws {
    let tokenizer = try CLIPTokenizer(folder: TokenizerGolden.small)
    let strings = try TokenizerGolden.strings()
    let first = strings.map { tokenizer.tokens(of: $0) }
    #expect(strings.map { tokenizer.tokens(of: $0) } == first)
  }

  private func agree(_ tokenizer: CLIPTokenizer, _ name: String) throws {
    let strings = try TokenizerGolden.strings()
    let expected = try TokenizerGolden.expected(name).ids
    #expect(strings.count >= 5000)
    try #require(strings.count == expected.count)
    for (text, ids) in zip(strings, expected) {
      let found = tokenizer.tokens(of: text)
      if found != ids { Issue.record("\(text.debugDescription): expected \(ids), found \(found)") }
    }
  }
}
