import BanyanFoundation

/// Learns a vocabulary for ``CLIPTokenizer`` from captions: byte pairs with an end-of-word mark.
///
/// The captions are normalised and split into words as the tokenizer does. Every word starts as its UTF-8 bytes, the
/// last one marked `</w>`; then the pair of neighbours that occurs most often becomes one token, again and again, until
/// the vocabulary is full. Of pairs that occur equally often the first in the order of their spelling (left token, then
/// right) is taken, so that equal counts of words give equal files, whatever the order of the captions.
///
/// The ids are those of a published CLIP in kind: 256 bytes, the same 256 at the end of a word, one token for each merge,
/// `<|startoftext|>`, `<|endoftext|>`. Of two pairs that would spell one token only the first is merged.
///
///     let files = try BytePairTrainer(vocabularySize: 4096).train(captions)
///     try files.write(to: folder, contextLength: 24)
public struct BytePairTrainer: Sendable {
  /// The ids that no merge makes: two for each byte, the start and the end of a text.
  public static let smallestVocabulary = 2 * 256 + 2

  /// The most ids that are given; fewer where no pair occurs often enough any more.
  public let vocabularySize: Int
  /// How often a pair must occur to become a token.
  public let minimumCount: Int

  /// A trainer of vocabularies of at most `vocabularySize` ids.
  ///
  /// - Parameters:
  ///   - vocabularySize: An upper bound: training stops earlier when no pair occurs `minimumCount` times.
  ///   - minimumCount: How often, counted over all captions, a pair must occur to become a token.
  /// - Throws: A `BanyanError` of kind `usage` where the size is not between 514 (bytes and the two special tokens) and
  ///   16 777 216, or the count is below 1.
  public init(vocabularySize: Int, minimumCount: Int = 2) throws {
    guard (Self.smallestVocabulary...1 << 24).contains(vocabularySize) else {
      throw BanyanError(
        .usage, at: "vocabulary size",
        "expected \(Self.smallestVocabulary) (two ids for each byte, start and end) to \(1 << 24), "
          + "found \(vocabularySize)")
    }
    guard minimumCount >= 1 else {
      throw BanyanError(.usage, at: "minimum count", "expected 1 or more, found \(minimumCount)")
    }
    self.vocabularySize = vocabularySize
    self.minimumCount = minimumCount
  }

  /// The vocabulary and merges that `captions` give.
  ///
  /// The cost is that of counting the words once, and then of the words that hold the merged pairs.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` where there is no word in any caption.
  public func train(_ captions: some Sequence<String>) throws -> TokenizerFiles {
    let words = WordCounts(captions)
    guard !words.isEmpty else {
      throw BanyanError(
        .missingInput, at: "captions", "expected at least one word, found none",
        remedy: "Check that the captions are not blank.")
    }
    // The order of the published vocabulary: the bytes in the order of their characters.
    let characters = ByteAlphabet.characters.sorted()
    var merging = PairMerging(
      tokens: characters + characters.map { $0 + ByteAlphabet.endOfWord }, words: words, minimumCount: minimumCount)
    while merging.tokens.count + 2 < vocabularySize, merging.mergeMostFrequent() {}
    return TokenizerFiles(tokens: merging.tokens, merges: merging.merges)
  }
}
