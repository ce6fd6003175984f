import BanyanFoundation

/// The tokens that are cut out of a text before it is split into words.
struct SpecialTokens: Sendable {
  /// Those looked for in the text as it is written.
  let exact: TokenMatcher
  /// Those looked for after normalisation, so in any case of letters.
  let normalized: TokenMatcher
  /// The ids of both.
  let ids: Set<Int32>

  /// Those of `tokens` that the vocabulary has; a name without an embedding (a padding token that some configurations
  /// make up) is left out.
  init(_ tokens: [AddedToken], in vocabulary: BytePairVocabulary) throws {
    var exact: [TokenMatcher.Entry] = []
    var normalized: [TokenMatcher.Entry] = []
    for token in tokens where !token.content.isEmpty {
      guard let id = vocabulary.id(of: token.content) else { continue }
      guard token.isPlain else {
        throw BanyanError(
          .malformed, at: "the special token \(token.content)",
          "expected one that matches as it is, found lstrip, rstrip or single_word",
          remedy: "CLIP's own tokens have none of these; set them to false in the tokenizer's files.")
      }
      let utf8 = Array(token.content.utf8)
      if token.isNormalized {
        normalized.append(TokenMatcher.Entry(utf8: TextNormalizer.normalized(utf8[...]), id: id))
      } else {
        exact.append(TokenMatcher.Entry(utf8: utf8, id: id))
      }
    }
    self.exact = TokenMatcher(exact)
    self.normalized = TokenMatcher(normalized)
    ids = Set((exact + normalized).map(\.id))
  }
}

/// Finds fixed texts in a text: the leftmost, and there the longest.
struct TokenMatcher: Sendable {
  /// A text to find and the id that it becomes.
  struct Entry: Sendable {
    let utf8: [UInt8]
    let id: Int32
  }

  private let entries: [Entry]
  private let firstBytes: Set<UInt8>

  /// A matcher of `entries`, none of them empty.
  init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.utf8.count > $1.utf8.count }
    firstBytes = Set(entries.compactMap(\.utf8.first))
  }

  /// Calls `onToken` for each match and `onText` for each stretch between matches, in order.
  func split(_ utf8: [UInt8], onToken: (Int32) -> Void, onText: (Range<Int>) -> Void) {
    var start = 0
    var at = 0
    while !entries.isEmpty, at < utf8.count {
      guard firstBytes.contains(utf8[at]), let entry = entries.first(where: { utf8[at...].starts(with: $0.utf8) })
      else {
        at += 1
        continue
      }
      if start < at { onText(start..<at) }
      onToken(entry.id)
      at += entry.utf8.count
      start = at
    }
    if start < utf8.count { onText(start..<utf8.count) }
  }
}
