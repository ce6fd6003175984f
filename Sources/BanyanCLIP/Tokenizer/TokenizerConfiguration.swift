import BanyanFoundation
import Foundation

/// A token that is more than its bytes' merges, as Hugging Face files describe it.
struct AddedToken: Sendable, Hashable, Decodable {
  let content: String
  /// Where a file numbers it.
  var id: Int?
  /// Whether it is looked for in the normalised text.
  let isNormalized: Bool
  /// Whether it matches as it is, taking no neighbouring space and no care of word borders.
  let isPlain: Bool

  private enum Key: String, CodingKey {
    case content, id, normalized, lstrip, rstrip
    case singleWord = "single_word"
  }

  /// A token that is matched exactly.
  init(_ content: String) {
    self.content = content
    isNormalized = false
    isPlain = true
  }

  /// Decodes a bare text or an object with flags.
  init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      content = text
      isNormalized = false
      isPlain = true
      return
    }
    let container = try decoder.container(keyedBy: Key.self)
    func flag(_ key: Key) throws -> Bool { try container.decodeIfPresent(Bool.self, forKey: key) ?? false }
    content = try container.decode(String.self, forKey: .content)
    id = try container.decodeIfPresent(Int.self, forKey: .id)
    isNormalized = try flag(.normalized)
    let takesMore = try [Key.lstrip, .rstrip, .singleWord].contains { try flag($0) }
    isPlain = !takesMore
  }
}

/// What `tokenizer_config.json` and `special_tokens_map.json` say; CLIP's own values where they are absent.
struct TokenizerConfiguration: Sendable {
  /// Both files; the second overrides the first.
  private struct File: Decodable {
    var bos_token: AddedToken?
    var eos_token: AddedToken?
    var unk_token: AddedToken?
    var sep_token: AddedToken?
    var pad_token: AddedToken?
    var cls_token: AddedToken?
    var mask_token: AddedToken?
    var additional_special_tokens: [AddedToken]?
    var added_tokens_decoder: [String: AddedToken]?
    var model_max_length: Double?
  }

  private static let usualContextLength = 77
  /// CLIP's token for the beginning of a text.
  static let usualStart = "<|startoftext|>"
  /// CLIP's token for the end of a text, for padding and for unknown bytes.
  static let usualEnd = "<|endoftext|>"
  // Start, one token, end; and room for any text tower there is. Files without a limit write 1e30.
  static let sensibleContextLengths = 3.0...65_536.0

  let contextLength: Int
  let startToken: String
  let endToken: String
  let unknownToken: String
  let paddingToken: String
  /// The special tokens by their roles: each once, in the order of the roles.
  let named: [AddedToken]
  /// The tokens listed with ids; `nil` where the configuration has no such list.
  let added: [AddedToken]?

  /// Reads what the folder has.
  init(folder: URL) throws {
    let subject = folder.appending(path: "tokenizer_config.json")
    func read(_ name: String) throws -> File {
      let url = folder.appending(path: name)
      return FileManager.default.fileExists(atPath: url.path) ? try JSONDocument.read(from: url) : File()
    }
    let base = try read("tokenizer_config.json")
    let map = try read("special_tokens_map.json")
    let start = map.bos_token ?? base.bos_token ?? AddedToken(Self.usualStart)
    let end = map.eos_token ?? base.eos_token ?? AddedToken(Self.usualEnd)
    let unknown = map.unk_token ?? base.unk_token ?? AddedToken(Self.usualEnd)
    let padding = map.pad_token ?? base.pad_token ?? AddedToken(Self.usualEnd)
    let others = [map.cls_token ?? base.cls_token, map.mask_token ?? base.mask_token].compactMap(\.self)
    let roles =
      [start, end, unknown] + [map.sep_token ?? base.sep_token].compactMap(\.self) + [padding] + others
      + (map.additional_special_tokens ?? base.additional_special_tokens ?? [])
    startToken = start.content
    endToken = end.content
    unknownToken = unknown.content
    paddingToken = padding.content
    var named: [AddedToken] = []
    for token in roles where !named.contains(token) { named.append(token) }
    self.named = named
    added = try base.added_tokens_decoder?.map { key, token in
      guard let id = Int(key) else {
        throw BanyanError(
          .malformed, at: "\(subject.path): added_tokens_decoder.\(key)", "expected an id as key, found \(key)")
      }
      var token = token
      token.id = id
      return token
    }.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
    let length = base.model_max_length ?? 0
    contextLength = Self.sensibleContextLengths.contains(length) ? Int(length) : Self.usualContextLength
  }
}
