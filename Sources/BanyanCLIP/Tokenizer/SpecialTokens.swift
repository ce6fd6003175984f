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
