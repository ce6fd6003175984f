import BanyanFoundation
import Foundation

/// The model inside a `tokenizer.json`, where it is CLIP's: byte pairs with an end-of-word mark.
struct TokenizerModel {
  private struct File: Decodable {
    let model: Model
    let added_tokens: [AddedToken]?
  }

  private struct Model: Decodable {
    let vocab: [String: Int]
    let merges: [TokenizerSource.Merge]
  }

  // Read first, since other models keep a vocabulary of another form.
  private struct Outline: Decodable {
    struct Model: Decodable {
      let type: String?
      let end_of_word_suffix: String?
      let continuing_subword_prefix: String?
      let byte_fallback: Bool?
      let fuse_unk: Bool?
    }
    let model: Model
  }

  let vocabulary: [String: Int]
  let merges: [TokenizerSource.Merge]
  /// The tokens listed beside the model.
  let added: [AddedToken]

  /// Reads the file at `url`.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names the key where the model is not CLIP's.
  init(url: URL) throws {
    let data = try AtomicFile.read(url)
    let outline = try JSONDocument.decode(Outline.self, from: data, subject: url.path).model
    func check(_ holds: Bool, _ key: String, _ expected: String, _ found: String) throws {
      if holds { return }
      throw BanyanError(
        .malformed, at: "\(url.path): model.\(key)", "expected \(expected), found \(found)",
        remedy: "This room reads CLIP's tokenizers only; check that the folder is a CLIP checkpoint's.")
    }
    try check(outline.type == "BPE", "type", "BPE", outline.type ?? "none")
    let suffix = outline.end_of_word_suffix ?? ""
    try check(
      suffix == ByteAlphabet.endOfWord, "end_of_word_suffix", ByteAlphabet.endOfWord, suffix.isEmpty ? "none" : suffix)
    let prefix = outline.continuing_subword_prefix ?? ""
    try check(prefix.isEmpty, "continuing_subword_prefix", "none", prefix)
    try check(outline.byte_fallback != true, "byte_fallback", "false", "true")
    try check(outline.fuse_unk != true, "fuse_unk", "false", "true")
    let file = try JSONDocument.decode(File.self, from: data, subject: url.path)
    vocabulary = file.model.vocab
    merges = file.model.merges
    added = file.added_tokens ?? []
  }
}
