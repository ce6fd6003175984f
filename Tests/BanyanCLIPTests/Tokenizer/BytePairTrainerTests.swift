import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

@Suite struct BytePairTrainerTests {
  private static let captions: [String] = {
    var generator = SeededGenerator(seed: 5, label: "captions")
    let words = [
      "a", "photo", "of", "the", "small", "smaller", "smallest", "circle", "circles", "banana", "bananas", "red",
      "reddish", "aaaa", "aaaaa", "abab", "ababab", "tall", "caf\u{E9}", "\u{4E2D}\u{6587}", "mississippi",
    ]
    return (0..<300).map { _ in
      (0..<1 + generator.integer(below: 8)).map { _ in words[generator.integer(below: words.count)] }
        .joined(separator: " ")
    }
  }()

  @Test func `the merges are those of counting everything anew each time`() throws {
    let words = Self.captions.flatMap { $0.split(separator: " ").map(String.init) }
    let naive = NaiveBytePairs.merges(of: words, count: 90, minimumCount: 2)
    let files = try BytePairTrainer(vocabularySize: 514 + 90).train(Self.captions)
    #expect(files.merges == naive)
    #expect(naive.count > 60)
    #expect(files.vocabularySize == 514 + naive.count)
    // Equally frequent pairs: `a aaaa…` and such; the order of the captions does not matter.
    #expect(try BytePairTrainer(vocabularySize: 514 + 90).train(Self.captions.reversed()) == files)
  }

  @Test func `training stops when no pair is frequent enough`() throws {
    func merges(_ minimumCount: Int) throws -> [String] {
      try BytePairTrainer(vocabularySize: 600, minimumCount: minimumCount).train(["ab ab ab", "cd cd", "ef"]).merges
    }
    #expect(try merges(1) == ["a b</w>", "c d</w>", "e f</w>"])
    #expect(try merges(2) == ["a b</w>", "c d</w>"])
    #expect(try merges(3) == ["a b</w>"])
    #expect(try merges(4) == [])
    #expect(try BytePairTrainer(vocabularySize: 516).train(["ab ab ab", "cd cd", "ef ef"]).merges.count == 2)
  }

  @Test func `the tokenizer reads what is written`() throws {
    let files = try BytePairTrainer(vocabularySize: 700).train(Self.captions)
    try TokenizerGolden.withFolder([:]) { folder in
      try files.write(to: folder, contextLength: 24)
      let tokenizer = try CLIPTokenizer(folder: folder)
      #expect(tokenizer.contextLength == 24)
      #expect(tokenizer.vocabularySize == files.vocabularySize)
      #expect(Int(tokenizer.startToken) == files.startToken && files.startToken == files.vocabularySize - 2)
      #expect(Int(tokenizer.endToken) == files.endToken && files.endToken == files.vocabularySize - 1)
      #expect(tokenizer.tokens(of: "Mississippi").map { tokenizer.token(for: $0) } == ["mississippi</w>"])
      for caption in Self.captions + ["unheard-of words, 42 \u{1F600} \"quotes\" \\ and <|endoftext|>"] {
        let ids = tokenizer.tokens(of: caption)
        // Each id's spelling is the file's, so quotes, backslashes and stand-ins for bytes survived.
        #expect(ids.compactMap { tokenizer.token(for: $0) } == ids.map { files.tokens[Int($0)] })
      }
      #expect(tokenizer.decode(tokenizer.tokens(of: "a \"caf\u{E9}\" \\")) == "a \" caf\u{E9} \" \\")
      #expect(try TokenizerFiles(folder: folder).tokens == files.tokens)
    }
  }

  @Test func `a copied tokenizer gives the same ids`() throws {
    for source in [TokenizerGolden.small, TokenizerGolden.smallJSON] {
      let original = try CLIPTokenizer(folder: source)
      try TokenizerGolden.withFolder([:]) { folder in
        let files = try TokenizerFiles(folder: source)
        try files.write(to: folder, contextLength: 33)
        let copy = try CLIPTokenizer(folder: folder)
        #expect(copy.contextLength == 33)
        #expect((copy.startToken, copy.endToken) == (original.startToken, original.endToken))
        for text in try TokenizerGolden.strings() { #expect(copy.tokens(of: text) == original.tokens(of: text)) }
        #expect(try TokenizerFiles(folder: folder).merges == files.merges)
      }
    }
  }

  @Test func `impossible wishes are errors`() throws {
    func error(_ body: () throws -> Void) -> BanyanError? { #expect(throws: BanyanError.self) { try body() } }
    #expect(error { _ = try BytePairTrainer(vocabularySize: 513) }?.message.contains("found 513") == true)
    #expect(error { _ = try BytePairTrainer(vocabularySize: 600, minimumCount: 0) }?.kind == .usage)
    #expect(error { _ = try BytePairTrainer(vocabularySize: 600).train(["", " \n"]) }?.kind == .missingInput)
    let files = try BytePairTrainer(vocabularySize: 600).train(["a"])
    try TokenizerGolden.withFolder(["tokenizer.json": "{}"]) { folder in
      #expect(error { try files.write(to: folder, contextLength: 24) }?.subject.hasSuffix("tokenizer.json") == true)
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "vocab.json").path))
      #expect(error { try files.write(to: folder, contextLength: 2) }?.message.contains("found 2") == true)
    }
  }
}

/// Byte-pair training in its plainest form: all pairs are counted anew before each merge.
private enum NaiveBytePairs {
  static func merges(of words: [String], count: Int, minimumCount: Int) -> [String] {
    var words = words.map { word in
      var letters = Array(word.utf8).map(character)
      letters[letters.count - 1] += "</w>"
      return letters
    }
    var lines: [String] = []
    var made: Set<String> = []
    while lines.count < count {
      var counts: [[String]: Int] = [:]
      for word in words { for pair in zip(word, word.dropFirst()) { counts[[pair.0, pair.1], default: 0] += 1 } }
      let open = counts.filter { $0.value >= minimumCount && !made.contains($0.key.joined()) }
      let best = open.min { a, b in
        if a.value != b.value { return a.value > b.value }
        return a.key.map { Array($0.utf8) }.lexicographicallyPrecedes(b.key.map { Array($0.utf8) }) { x, y in
          x.lexicographicallyPrecedes(y)
        }
      }
      guard let pair = best?.key else { break }
      made.insert(pair.joined())
      lines.append(pair.joined(separator: " "))
      words = words.map { word in
        var result: [String] = []
        for letter in word {
          if result.last == pair[0], letter == pair[1] {
            result[result.count - 1] += letter
          } else {
            result.append(letter)
          }
        }
        return result
      }
    }
    return lines
  }

  /// The printable character of a byte.
  private static func character(_ byte: UInt8) -> String {
    let visible = { (byte: UInt8) in (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174 }
    if visible(byte) { return String(Unicode.Scalar(byte)) }
    let place = (0..<byte).filter { !visible($0) }.count
    return Unicode.Scalar(UInt32(256 + place)).map(String.init) ?? ""
  }
}
