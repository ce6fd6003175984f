import BanyanFoundation
import Foundation

/// What a folder's files hold, before it is checked: the vocabulary, the merges in order, the special tokens.
struct TokenizerSource {
  /// Two tokens that become one.
  struct Merge: Decodable {
    let left: String
    let right: String

    /// The pair that `line` names; `nil` unless it is two tokens with a space between.
    init?(_ line: some StringProtocol) {
      let parts = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
      left = String(decoding: parts[0], as: UTF8.self)
      right = String(decoding: parts[1], as: UTF8.self)
    }

    /// Decodes both forms of `tokenizer.json`: `"a b"` and `["a", "b"]`.
    init(from decoder: any Decoder) throws {
      if var pair = try? decoder.unkeyedContainer() {
        left = try pair.decode(String.self)
        right = try pair.decode(String.self)
        guard pair.isAtEnd else {
          throw DecodingError.dataCorruptedError(in: pair, debugDescription: "expected two tokens, found more")
        }
        return
      }
      let container = try decoder.singleValueContainer()
      guard let merge = Self(try container.decode(String.self)) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "expected two tokens with a space between")
      }
      self = merge
    }
  }

  /// Token to id.
  private(set) var vocabulary: [String: Int]
  /// First merge first.
  let merges: [Merge]
  /// Every token that is matched in the text itself.
  let specials: [AddedToken]
  /// Where the vocabulary was read, for errors.
  let vocabularySubject: String
  private let mergesSubject: String
  // Lines of merges.txt by merge; empty where the merges come from tokenizer.json.
  private let lines: [Int]

  /// Where merge `rank` stands, for errors.
  func subject(ofMerge rank: Int) -> String {
    lines.isEmpty ? "\(mergesSubject)[\(rank)]" : "\(mergesSubject): line \(lines[rank])"
  }

  /// Reads `vocab.json` and `merges.txt`, or `tokenizer.json`.
  init(folder: URL, configuration: TokenizerConfiguration) throws {
    let files = ["vocab.json", "merges.txt", "tokenizer.json"].map { folder.appending(path: $0) }
    let exist = files.map { FileManager.default.fileExists(atPath: $0.path) }
    var added = configuration.added ?? []
    if exist[2], !(exist[0] && exist[1]) {
      let model = try TokenizerModel(url: files[2])
      vocabulary = model.vocabulary
      merges = model.merges
      vocabularySubject = "\(files[2].path): model.vocab"
      mergesSubject = "\(files[2].path): model.merges"
      lines = []
      if configuration.added == nil { added = model.added }
    } else if exist[0] || exist[1] {
      vocabulary = try JSONDocument.read(from: files[0])
      (merges, lines) = try Self.readMerges(files[1])
      vocabularySubject = files[0].path
      mergesSubject = files[1].path
    } else {
      throw BanyanError(
        .missingInput, at: folder.path, "expected vocab.json and merges.txt, or tokenizer.json, found neither",
        remedy: "Copy the tokenizer's files from the checkpoint's source into this folder.")
    }
    for token in added {
      guard let id = token.id else { continue }
      if let other = vocabulary.updateValue(id, forKey: token.content), other != id {
        throw BanyanError(
          .malformed, at: "\(vocabularySubject): \(token.content)",
          "expected one id, found \(other) and, as added, \(id)")
      }
    }
    // A listed token overrides the flags of its role; of two with one text the later counts.
    var byText: [String: AddedToken] = [:]
    for token in configuration.named + added { byText[token.content] = token }
    specials = byText.values.sorted { $0.content < $1.content }
  }

  private static func readMerges(_ url: URL) throws -> ([Merge], lines: [Int]) {
    let data = try AtomicFile.read(url)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw BanyanError(.malformed, at: url.path, "expected UTF-8, found other bytes")
    }
    var merges: [Merge] = []
    var numbers: [Int] = []
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      let line = Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
      // Only the header is a comment: published merges begin with "#" too.
      if line.hasPrefix("#version") || (line.isEmpty && number == lines.count - 1) { continue }
      guard let merge = Merge(line) else {
        throw BanyanError(
          .malformed, at: "\(url.path): line \(number + 1)",
          "expected two tokens with a space between, found \"\(line.prefix(80))\"",
          remedy: "Restore the file from the checkpoint's source.")
      }
      merges.append(merge)
      numbers.append(number + 1)
    }
    return (merges, numbers)
  }
}
