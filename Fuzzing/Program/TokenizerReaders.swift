import BanyanCLIP
import BanyanFoundation
import Foundation

/// Texts for the tokenizer that ships, and files for a tokenizer; the first byte chooses.
enum TokenizerReaders {
  private static let shipped = Result { try CLIPTokenizer(folder: EmbeddedCheckpoint.folder()) }

  static func read(_ bytes: Data) throws {
    guard let first = bytes.first else { return }
    let rest = Data(bytes.dropFirst())
    if first % 4 == 0 { try files(rest) } else { try text(String(decoding: rest, as: UTF8.self)) }
  }

  private static func text(_ text: String) throws {
    let tokenizer = try shipped.get()
    let tokens = tokenizer.tokens(of: text)
    FuzzTarget.require(tokens == tokenizer.tokens(of: text), "the same text has other tokens")
    FuzzTarget.require(
      tokens.allSatisfy { (0..<Int32(tokenizer.vocabularySize)).contains($0) }, "a token outside the vocabulary")
    let encoding = tokenizer.encode(text)
    FuzzTarget.require(
      encoding.ids.count == min(tokens.count, tokenizer.contextLength - 2) + 2
        && encoding.ids.first == tokenizer.startToken && encoding.ids.last == tokenizer.endToken, "other ends")
    _ = tokenizer.decode(tokens)
  }

  /// `vocab.json`, a zero byte, and `merges.txt`; or, without a zero byte, `tokenizer.json`.
  private static func files(_ bytes: Data) throws {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts.count == 2 ? ["vocab.json", "merges.txt"] : ["tokenizer.json"]
    let folder = Scratch.folder.appending(path: "tokenizer")
    try? FileManager.default.removeItem(at: folder)
    for (name, part) in zip(names, parts) { try Scratch.write(Data(part), to: folder.appending(path: name)) }
    let tokenizer = try CLIPTokenizer(folder: folder)
    _ = tokenizer.decode(tokenizer.encode("a photo of a dog, isn't it? 42 <|endoftext|>").ids)
  }
}
