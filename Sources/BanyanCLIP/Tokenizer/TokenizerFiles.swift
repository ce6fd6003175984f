import BanyanFoundation
public import Foundation

/// What a CLIP tokenizer's files hold: the tokens by id, the merges in order, the roles of the special tokens.
///
/// Unlike ``CLIPTokenizer``, which encodes, this is the form that is trained, copied and written.
public struct TokenizerFiles: Sendable, Equatable {
  /// The tokens, each at its id, as the files spell them.
  public let tokens: [String]
  /// The merges as `left right`; the first has the lowest rank.
  public let merges: [String]
  /// The members of `tokenizer_config.json` but for the context length.
  let configuration: [String: JSONValue]
  /// The id of the token that begins a text.
  public let startToken: Int
  /// The id of the token that ends a text.
  public let endToken: Int
  /// The id of the token that fills a text up; it is never read.
  public let paddingToken: Int

  /// The id of each token.
  public var vocabulary: [String: Int] {
    Dictionary(uniqueKeysWithValues: zip(tokens, tokens.indices))
  }

  /// How many ids there are: the rows of the token embedding.
  public var vocabularySize: Int { tokens.count }

  /// A vocabulary whose last two tokens are CLIP's own start and end.
  init(tokens: [String], merges: [String]) {
    let (start, end) = (TokenizerConfiguration.usualStart, TokenizerConfiguration.usualEnd)
    self.tokens = tokens + [start, end]
    self.merges = merges
    startToken = tokens.count
    endToken = tokens.count + 1
    paddingToken = endToken
    configuration = [
      "bos_token": .string(start), "eos_token": .string(end), "pad_token": .string(end), "unk_token": .string(end),
      "tokenizer_class": .string("CLIPTokenizer"),
    ]
  }

  /// Reads the tokenizer in `folder`, to write the same elsewhere.
  ///
  /// It takes the same files as ``CLIPTokenizer/init(folder:)``; a `special_tokens_map.json` is folded into the
  /// configuration, and what a `tokenizer.json` holds is spread over the other files.
  ///
  /// - Throws: A `BanyanError` as ``CLIPTokenizer/init(folder:)`` does.
  public init(folder: URL) throws {
    let roles = try TokenizerConfiguration(folder: folder)
    let source = try TokenizerSource(folder: folder, configuration: roles)
    let checked = try BytePairVocabulary(source, unknown: roles.unknownToken)
    tokens = checked.tokens
    merges = source.merges.map { "\($0.left) \($0.right)" }
    startToken = Int(try checked.id(ofSpecial: roles.startToken))
    endToken = Int(try checked.id(ofSpecial: roles.endToken))
    paddingToken = checked.id(of: roles.paddingToken).map(Int.init) ?? endToken
    var members: [String: JSONValue] = [:]
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
      let url = folder.appending(path: name)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      members.merge(try JSONDocument.read([String: JSONValue].self, from: url)) { $1 }
    }
    for (role, token) in [
      ("bos_token", roles.startToken), ("eos_token", roles.endToken), ("unk_token", roles.unknownToken),
    ] where members[role] == nil || members[role] == .null {
      members[role] = .string(token)
    }
    if roles.added == nil {
      let numbered = source.specials.filter { $0.id != nil }
      if !numbered.isEmpty { members["added_tokens_decoder"] = Self.decoder(numbered) }
    }
    members["tokenizer_class"] = .string("CLIPTokenizer")
    members["model_max_length"] = nil
    configuration = members
  }

  /// The same with more tokens behind the last, each found whole in a text wherever it stands.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where a token is there already.
  public func adding(_ added: [String]) throws -> TokenizerFiles {
    let known = Set(tokens)
    if let token = added.first(where: { known.contains($0) }) ?? (Set(added).count < added.count ? added.first : nil) {
      throw BanyanError(.usage, at: token, "the vocabulary has this token already")
    }
    var members = configuration
    // The first addition makes the list of additions; without start and end in it they would be lost.
    var decoder = members["added_tokens_decoder"]?.objectValue ?? [:]
    for (id, token) in [(startToken, tokens[startToken]), (endToken, tokens[endToken])] where decoder["\(id)"] == nil {
      decoder["\(id)"] = Self.entry(token, isNormalized: true)
    }
    for (offset, token) in added.enumerated() {
      decoder["\(tokens.count + offset)"] = Self.entry(token, isNormalized: false)
    }
    members["added_tokens_decoder"] = .object(decoder)
    return TokenizerFiles(base: self, tokens: tokens + added, configuration: members)
  }

  private init(base: TokenizerFiles, tokens: [String], configuration: [String: JSONValue]) {
    (self.tokens, self.configuration) = (tokens, configuration)
    (merges, startToken, endToken) = (base.merges, base.startToken, base.endToken)
    paddingToken = base.paddingToken
  }

  private static func entry(_ content: String, isNormalized: Bool) -> JSONValue {
    .object([
      "content": .string(content), "normalized": .bool(isNormalized), "special": .bool(true), "lstrip": .bool(false),
      "rstrip": .bool(false), "single_word": .bool(false),
    ])
  }

  private static func decoder(_ tokens: [AddedToken]) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for token in tokens {
      guard let id = token.id else { continue }
      members["\(id)"] = entry(token.content, isNormalized: token.isNormalized)
    }
    return .object(members)
  }
}
