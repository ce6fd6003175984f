import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

@Suite struct CLIPTokenizerTests {
  private let tokenizer: CLIPTokenizer

  init() throws { tokenizer = try CLIPTokenizer(folder: TokenizerGolden.small) }

  @Test func `the special tokens are the last two ids`() {
    #expect(tokenizer.vocabularySize == 914)
    #expect(tokenizer.startToken == 912)
    #expect(tokenizer.endToken == 913)
    #expect(tokenizer.contextLength == 77)
  }

  @Test func `an encoding is start, tokens, end`() {
    let encoding = tokenizer.encode("a photo of a dog.")
    #expect(encoding.ids == [912] + tokenizer.tokens(of: "a photo of a dog.") + [913])
    #expect(!encoding.isTruncated)
    #expect(encoding.droppedTokens == 0)
    #expect(tokenizer.encode("").ids == [912, 913])
  }

  @Test func `a text that fits exactly is not truncated and one token more is`() {
    // Each sign between spaces is a word of one token.
    func text(_ count: Int) -> String { Array(repeating: "+", count: count).joined(separator: " ") }
    let whole = tokenizer.encode(text(75))
    #expect(whole.ids.count == 77)
    #expect(!whole.isTruncated)
    let cut = tokenizer.encode(text(78))
    #expect(cut.ids == whole.ids)
    #expect(cut.isTruncated)
    #expect(cut.droppedTokens == 3)
  }

  @Test func `plain lower-case words survive a round trip`() throws {
    var generator = SeededGenerator(seed: 3, label: "round trip")
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    for _ in 0..<500 {
      let words = (0..<1 + generator.integer(below: 9)).map { _ in
        String((0..<1 + generator.integer(below: 12)).map { _ in letters[generator.integer(below: letters.count)] })
      }
      let text = words.joined(separator: " ")
      #expect(tokenizer.decode(tokenizer.encode(text).ids) == tokenizer.decode(tokenizer.encode(text).ids.dropFirst()))
      #expect(tokenizer.decode(tokenizer.tokens(of: text)) == text)
    }
  }

  @Test func `decoding skips ids that are not in the vocabulary`() {
    #expect(tokenizer.decode([-1, 914, .max, .min] + tokenizer.tokens(of: "dog")) == "dog")
    #expect(tokenizer.token(for: -1) == nil)
    #expect(tokenizer.token(for: 914) == nil)
    #expect(tokenizer.token(for: 913) == "<|endoftext|>")
    #expect(tokenizer.tokens(of: "the").compactMap(tokenizer.token(for:)) == ["the</w>"])
  }

  @Test func `HTML entities stay as they are`() {
    #expect(tokenizer.decode(tokenizer.tokens(of: "&amp;")) == "& amp ;")
  }

  @Test func `many threads share one tokenizer`() async throws {
    let strings = try TokenizerGolden.strings().prefix(800)
    let expected = strings.map { tokenizer.tokens(of: $0) }
    let fresh = try CLIPTokenizer(folder: TokenizerGolden.small)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 { group.addTask { strings.map { fresh.tokens(of: $0) } == expected } }
      for await same in group { #expect(same) }
    }
  }

  @Test(arguments: [("16", 16), ("65536", 65536), ("1e30", 77), ("0", 77), ("2", 77), ("-5", 77), ("null", 77)])
  func `the context length is the configuration's where it is sensible`(value: String, length: Int) throws {
    var files = try TokenizerGolden.smallFiles()
    files["tokenizer_config.json"] = "{\"model_max_length\": \(value)}"
    let tokenizer = try TokenizerGolden.withFolder(files) { try CLIPTokenizer(folder: $0) }
    #expect(tokenizer.contextLength == length)
    #expect(tokenizer.encode(String(repeating: "+ ", count: 70_000)).ids.count == length)
  }

  @Test func `the configuration may be absent`() throws {
    var files = try TokenizerGolden.smallFiles()
    files["tokenizer_config.json"] = nil
    let bare = try TokenizerGolden.withFolder(files) { try CLIPTokenizer(folder: $0) }
    #expect(bare.contextLength == 77)
    #expect(bare.tokens(of: "two dogs <|endoftext|>") == tokenizer.tokens(of: "two dogs <|endoftext|>"))
  }

  @Test func `special tokens in capitals count only where the files say normalized`() throws {
    var files = try TokenizerGolden.smallFiles()
    #expect(!tokenizer.tokens(of: "<|STARTOFTEXT|>").contains(912))
    files["tokenizer_config.json"] = #"{"bos_token": {"content": "<|startoftext|>", "normalized": true}}"#
    let loose = try TokenizerGolden.withFolder(files) { try CLIPTokenizer(folder: $0) }
    #expect(loose.tokens(of: "<|STARTOFTEXT|>") == [912])
    #expect(!loose.tokens(of: "<|ENDOFTEXT|>").contains(913))
  }

  @Test func `a padding token is matched in the text as transformers does`() throws {
    var files = try TokenizerGolden.smallFiles()
    files["special_tokens_map.json"] = #"{"pad_token": "!"}"#
    let padded = try TokenizerGolden.withFolder(files) { try CLIPTokenizer(folder: $0) }
    #expect(tokenizer.tokens(of: "!") == [256])
    #expect(padded.tokens(of: "!") == [0])
  }

  @Test func `merges may end without a line break and carry carriage returns`() throws {
    var files = try TokenizerGolden.smallFiles()
    let merges = try #require(files["merges.txt"])
    files["merges.txt"] = String(merges.utf8.dropLast())?.replacingOccurrences(of: "\n", with: "\r\n")
    let other = try TokenizerGolden.withFolder(files) { try CLIPTokenizer(folder: $0) }
    #expect(other.tokens(of: "a photo of a dog.") == tokenizer.tokens(of: "a photo of a dog."))
  }

  @Test func `one word of a million letters is merged whole`() {
    // Merging that looks at every pair again after each merge would not come back from this.
    let text = String(repeating: "photo", count: 200_000)
    let ids = tokenizer.tokens(of: text)
    #expect(ids.count < 1_000_000)
    #expect(tokenizer.decode(ids).filter { $0 != " " } == text)
  }
}
