import BanyanFoundation
public import Foundation

extension TokenizerFiles {
  /// The files that, where they lie in the same folder, some readers prefer to those that are written here.
  private static let rivals = ["tokenizer.json", "special_tokens_map.json", "added_tokens.json"]

  /// Writes `vocab.json`, `merges.txt` and `tokenizer_config.json` to `folder`.
  ///
  /// ``CLIPTokenizer`` and `transformers` read them and give the same ids. Equal values give equal bytes; each file
  /// appears whole.
  ///
  /// - Parameters:
  ///   - folder: The place; it is made where it is absent.
  ///   - contextLength: The most ids of a text, start and end included.
  /// - Throws: A `BanyanError` of kind `usage` where the context length is not between 3 and 65 536 or the folder holds
  ///   another tokenizer's files, `failed` where a file cannot be written.
  public func write(to folder: URL, contextLength: Int) throws {
    let lengths = TokenizerConfiguration.sensibleContextLengths
    guard lengths.contains(Double(contextLength)) else {
      throw BanyanError(
        .usage, at: "context length",
        "expected \(Int(lengths.lowerBound)) to \(Int(lengths.upperBound)), found \(contextLength)")
    }
    for name in Self.rivals {
      let url = folder.appending(path: name)
      guard !FileManager.default.fileExists(atPath: url.path) else {
        throw BanyanError(
          .usage, at: url.path, "the folder holds a file of another tokenizer",
          remedy: "Take the file out, or write to another folder.")
      }
    }
    try AtomicFile.write(try vocabularyData(), to: folder.appending(path: "vocab.json"))
    let lines = "#version: 0.2\n" + merges.map { $0 + "\n" }.joined()
    try AtomicFile.write(Data(lines.utf8), to: folder.appending(path: "merges.txt"))
    var members = configuration
    members["model_max_length"] = .integer(Int64(contextLength))
    try JSONDocument.write(members, to: folder.appending(path: "tokenizer_config.json"))
  }

  /// The vocabulary in the order of its ids, which an encoder of dictionaries would not keep.
  private func vocabularyData() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    var data = Data("{".utf8)
    for (id, token) in tokens.enumerated() {
      if id > 0 { data.append(UInt8(ascii: ",")) }
      do {
        data.append(try encoder.encode(token))
      } catch {
        throw BanyanError(.failed, at: "vocab.json: \(token)", "cannot be written as JSON: \(error)")
      }
      data.append(contentsOf: Data(":\(id)".utf8))
    }
    data.append(contentsOf: Data("}\n".utf8))
    return data
  }
}
