import BanyanFoundation

/// The tokens, the bytes they start from, and which pairs merge into which.
struct BytePairVocabulary: Sendable {
  /// What two neighbours become, and how early.
  struct Merge: Sendable {
    /// The place in the list of merges; the lowest goes first.
    let rank: Int
    /// The token that stands for both.
    let id: Int32
  }

  /// The tokens by id, as the files spell them.
  let tokens: [String]
  private let ids: [String: Int32]
  private let merges: [UInt64: Merge]
  /// The id of each byte inside a word.
  private let inner: [Int32]
  /// The id of each byte at the end of a word.
  private let final: [Int32]
  private let subject: String

  /// Checks and indexes what the files hold.
  ///
  /// - Parameter unknown: The token for bytes that the vocabulary lacks (none in a published CLIP).
  init(_ source: TokenizerSource, unknown: String) throws {
    let subject = source.vocabularySubject
    guard source.vocabulary.count <= Int(Int32.max) else {
      throw BanyanError(.malformed, at: subject, "expected fewer than 2^31 tokens, found \(source.vocabulary.count)")
    }
    var tokens = [String?](repeating: nil, count: source.vocabulary.count)
    for (token, id) in source.vocabulary.sorted(by: { $0.key < $1.key }) {
      guard tokens.indices.contains(id) else {
        throw BanyanError(
          .malformed, at: "\(subject): \(token)", "expected an id in 0 ..< \(tokens.count), found \(id)",
          remedy: "Restore the file from the checkpoint's source.")
      }
      if let other = tokens[id] {
        throw BanyanError(
          .malformed, at: "\(subject): \(token)", "expected an id of its own, found \(id), which is \(other)'s",
          remedy: "Restore the file from the checkpoint's source.")
      }
      tokens[id] = token
    }
    self.tokens = tokens.compactMap(\.self)
    self.subject = subject
    let ids = source.vocabulary.mapValues { Int32($0) }
    self.ids = ids

    var merges: [UInt64: Merge] = [:]
    merges.reserveCapacity(source.merges.count)
    for (rank, merge) in source.merges.enumerated() {
      func id(_ token: String, _ role: String) throws -> Int32 {
        if let id = ids[token] { return id }
        throw BanyanError(
          .malformed, at: source.subject(ofMerge: rank), "expected \(role) in the vocabulary, found \(token)",
          remedy: "The vocabulary and the merges must come from the same checkpoint.")
      }
      let left = try id(merge.left, "the left token")
      let right = try id(merge.right, "the right token")
      let result = try id(merge.left + merge.right, "the merged token")
      merges[Self.key(left, right)] = Merge(rank: rank, id: result)
    }
    self.merges = merges

    let fallback = ids[unknown]
    func byteIDs(_ suffix: String) throws -> [Int32] {
      try ByteAlphabet.characters.map { character in
        if let id = ids[character + suffix] ?? fallback { return id }
        throw BanyanError(
          .malformed, at: subject,
          "expected a token \(character + suffix) or an unknown token \(unknown), found neither",
          remedy: "Restore the file from the checkpoint's source.")
      }
    }
    inner = try byteIDs("")
    final = try byteIDs(ByteAlphabet.endOfWord)
  }

  /// The id of `token`.
  func id(of token: String) -> Int32? { ids[token] }

  /// The id of the start or end token.
  ///
  /// - Throws: A `BanyanError` where the vocabulary lacks it.
  func id(ofSpecial token: String) throws -> Int32 {
    if let id = ids[token] { return id }
    throw BanyanError(
      .malformed, at: subject, "expected the special token \(token), found none",
      remedy: "This room reads CLIP's vocabularies only; check that the folder is a CLIP checkpoint's.")
  }

  /// The ids of one word's bytes before any merge.
  func byteTokens(of word: [UInt8]) -> [Int32] {
    guard let last = word.last else { return [] }
    return word.dropLast().map { inner[Int($0)] } + [final[Int(last)]]
  }

  /// What `left` followed by `right` becomes, if anything.
  func merge(_ left: Int32, _ right: Int32) -> Merge? { merges[Self.key(left, right)] }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
