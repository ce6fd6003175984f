import BanyanFoundation
public import Foundation

/// For every vector of a run's learned prompts, the words of the vocabulary that lie nearest to it.
///
/// A learned vector need not mean anything; where it lies near a word, the word may say what was learned.
///
/// Paper: Zhou et al., *Learning to Prompt for Vision-Language Models*, IJCV 2022, table 4.
public struct WordsRecord: Codable, Sendable, Equatable {
  /// The version of the form that this version of Banyan writes.
  public static let currentSchema = 1

  /// A word and how far it is from the vector.
  public struct Word: Codable, Sendable, Equatable {
    /// The token as the vocabulary spells it, without the mark of a word's end.
    public var word: String
    /// The Euclidean distance of the embeddings.
    public var distance: Double

    /// Creates a word.
    public init(word: String, distance: Double) { (self.word, self.distance) = (word, distance) }
  }

  /// A learned prompt.
  public struct Prompt: Codable, Sendable, Equatable {
    /// What it belongs to: a task, a node with the tasks below it, or everything.
    public var name: String
    /// For each of its vectors the nearest words, nearest first.
    public var vectors: [[Word]]

    /// Creates a prompt.
    public init(name: String, vectors: [[Word]]) { (self.name, self.vectors) = (name, vectors) }
  }

  /// The form's version.
  public var schema = Self.currentSchema
  /// The seed of the run.
  public var seed: UInt64
  /// The prompts.
  public var prompts: [Prompt]
  /// The median distance between two words of the vocabulary that are nearest to each other, to compare with.
  public var typicalDistance: Double

  /// Creates a record.
  public init(seed: UInt64, prompts: [Prompt], typicalDistance: Double) {
    (self.seed, self.prompts, self.typicalDistance) = (seed, prompts, typicalDistance)
  }

  /// The folder inside a run's folder that holds its words.
  public static let folderName = "words"

  /// Reads all that lie in `runFolder`, by name.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where one is damaged or was written by a newer version.
  public static func readAll(_ runFolder: URL) throws -> [WordsRecord] {
    let folder = runFolder.appendingPathComponent(folderName)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return try files.filter { $0.hasSuffix(".json") }.sorted().map { name in
      let url = folder.appendingPathComponent(name)
      let record = try JSONDocument.read(WordsRecord.self, from: url)
      guard record.schema >= 1, record.schema <= currentSchema else {
        throw BanyanError(
          .malformed, at: "\(url.path): schema", "expected 1 to \(currentSchema), found \(record.schema)",
          remedy: "Read it with the version of Banyan that wrote it, or a newer one.")
      }
      return record
    }
  }

  /// A prompt a block, a vector a line.
  public var text: String {
    let blocks = prompts.map { prompt in
      ([TextWidth.printable(prompt.name)]
        + prompt.vectors.enumerated().map { index, words in
          "  \(TextWidth.right("\(index + 1)", 2))  "
            + words.map { "\(TextWidth.printable($0.word)) \(NumberText.fixed($0.distance, 2))" }.joined(
              separator: ", ")
        }).joined(separator: "\n")
    }
    let note = "Two words that are nearest to each other are typically \(NumberText.fixed(typicalDistance, 2)) apart."
    return (blocks + [note]).joined(separator: "\n\n") + "\n"
  }
}
