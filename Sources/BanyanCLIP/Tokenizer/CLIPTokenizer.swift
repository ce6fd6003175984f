public import Foundation

/// CLIP's text to token ids and back: byte-level byte-pair encoding with an end-of-word mark.
///
/// The ids equal those of `CLIPTokenizer` in the pinned `transformers`, for every Unicode text:
///
/// 1. special tokens are cut out where the text spells them exactly;
/// 2. the rest is composed (NFC) and lower-cased, scalar by scalar;
/// 3. it is split into words: `'s 't 're 've 'm 'll 'd`, runs of letters, single digits, runs of anything else that is
///    not whitespace;
/// 4. the UTF-8 bytes of each word, the last one marked `</w>`, are merged pair by pair, lowest rank first.
///
/// Like `transformers`, and unlike OpenAI's first implementation, the text is not cleaned: HTML entities (`&amp;`) and
/// mis-decoded characters (which OpenAI's `ftfy` call repairs by heuristics) stay as they are. There is no option to
/// clean, since those heuristics cannot be reproduced exactly; plain English gives equal ids in both.
///
///     let tokenizer = try CLIPTokenizer(folder: checkpoint)
///     tokenizer.encode("a photo of a dog.").ids  // [49406, 320, 1125, 539, 320, 1929, 269, 49407]
///
/// # Concurrency
/// A tokenizer is immutable but for a locked memory of words met before; copies share it.
public struct CLIPTokenizer: Sendable {
  /// The most ids that ``encode(_:)`` gives, start and end included; 77 for every published CLIP.
  public let contextLength: Int
  /// How many ids there are: the rows of the token embedding.
  public var vocabularySize: Int { vocabulary.tokens.count }
  /// The id of `<|startoftext|>`.
  public let startToken: Int32
  /// The id of `<|endoftext|>`: where the text tower reads its feature.
  public let endToken: Int32

  let vocabulary: BytePairVocabulary
  let specials: SpecialTokens
  private let memory = WordMemory()

  /// Reads a tokenizer from a checkpoint's folder.
  ///
  /// `vocab.json` and `merges.txt` are read where both are there, `tokenizer.json` otherwise; its normaliser is taken
  /// to be CLIP's. `tokenizer_config.json` may be absent: it gives the context length (`model_max_length`, where it is
  /// between 3 and 65 536; else 77) and the names of the special tokens.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` where a file is absent, `malformed` where one does not fit: ids
  ///   that are not 0 ..< n each once, a merge that is not two tokens or makes none, special tokens that are missing, a
  ///   model that is not CLIP's.
  public init(folder: URL) throws {
    let configuration = try TokenizerConfiguration(folder: folder)
    let source = try TokenizerSource(folder: folder, configuration: configuration)
    vocabulary = try BytePairVocabulary(source, unknown: configuration.unknownToken)
    startToken = try vocabulary.id(ofSpecial: configuration.startToken)
    endToken = try vocabulary.id(ofSpecial: configuration.endToken)
    specials = try SpecialTokens(source.specials, in: vocabulary)
    contextLength = configuration.contextLength
  }

  /// The ids of `text` without start and end, however many there are.
  public func tokens(of text: String) -> [Int32] {
    let utf8 = Array(text.utf8)
    var ids: [Int32] = []
    specials.exact.split(utf8, onToken: { ids.append($0) }) { stretch in
      let normalized = TextNormalizer.normalized(utf8[stretch])
      specials.normalized.split(normalized, onToken: { ids.append($0) }) { piece in
        WordSplitter.forEachWord(in: normalized, piece) { append(normalized[$0], to: &ids) }
      }
    }
    return ids
  }

  /// The ids of `text` as the text tower takes them: start, tokens, end.
  ///
  /// Not padded; what does not fit the context is dropped from the end of the text, never the end token.
  public func encode(_ text: String) -> Encoding {
    let tokens = tokens(of: text)
    let kept = tokens.prefix(contextLength - 2)
    return Encoding(ids: [startToken] + kept + [endToken], droppedTokens: tokens.count - kept.count)
  }

  /// The text that `ids` stand for: words with one space between them.
  ///
  /// Special tokens and ids outside the vocabulary are skipped; bytes that are no UTF-8 become U+FFFD. Spacing and case
  /// of the original text are lost: `decode(tokens(of: "A dog."))` is `a dog .`.
  public func decode(_ ids: some Sequence<Int32>) -> String {
    var bytes: [UInt8] = []
    for id in ids where !specials.ids.contains(id) {
      guard let token = token(for: id) else { continue }
      bytes += ByteAlphabet.bytes(of: token)
    }
    let text = String(decoding: bytes, as: UTF8.self)
      .replacingOccurrences(of: ByteAlphabet.endOfWord, with: " ", options: .literal)
    return TextNormalizer.trimmed(text)
  }

  /// The vocabulary's entry for `id`, as its files spell it: `photo</w>` ends a word, `photo` goes on.
  ///
  /// Unlike ``decode(_:)`` it is not turned into text: bytes beyond ASCII appear as their stand-in characters.
  public func token(for id: Int32) -> String? {
    vocabulary.tokens.indices.contains(Int(id)) ? vocabulary.tokens[Int(id)] : nil
  }

  private func append(_ word: ArraySlice<UInt8>, to ids: inout [Int32]) {
    let word = Array(word)
    if memory.append(word, to: &ids) { return }
    let merged = vocabulary.merge(word)
    memory.remember(word, as: merged)
    ids += merged
  }
}
