import BanyanFoundation
public import BanyanStructure
public import BanyanTasks
public import Foundation

/// The embeddings of some tasks by one probe, as `banyan embed` writes them.
public struct EmbeddingRecord: Codable, Sendable, Equatable {
  /// The version of the form that this version of Banyan writes.
  public static let currentSchema = 1

  /// What embeddings depend on beside the tasks' pictures.
  public struct Request: Codable, Sendable, Equatable {
    /// The network, with the digest of its weights.
    public var probe: String
    /// Where the tasks are.
    public var tasks: String
    /// How much of each task was looked at.
    public var samples: SamplingAmount
    /// Of everything that was drawn.
    public var seed: UInt64
    /// How the information was estimated.
    public var settings: EmbeddingSettings
    /// What decoders were asked of the pictures; `nil` for their classes alone, without a decoder.
    public var dense: EmbeddingRun.Dense?

    /// Describes a measurement.
    public init(
      probe: String, tasks: String, samples: SamplingAmount, seed: UInt64, settings: EmbeddingSettings,
      dense: EmbeddingRun.Dense? = nil
    ) {
      (self.probe, self.tasks, self.samples, self.seed) = (probe, tasks, samples, seed)
      (self.settings, self.dense) = (settings, dense)
    }
  }

  /// The form's version.
  public var schema = Self.currentSchema
  /// The version of Banyan that wrote this.
  public var banyan: String
  /// What was typed.
  public var command: [String]
  /// What was asked for.
  public var request: Request
  /// One a task, in the order of the tasks.
  public var embeddings: [TaskEmbedding]
  /// SHA-256 over the samples of each task, in the same order.
  public var digests: [String]

  /// Creates a record.
  public init(
    banyan: String = ExperimentRun.version, command: [String], request: Request, embeddings: [TaskEmbedding] = [],
    digests: [String] = []
  ) {
    (self.banyan, self.command, self.request) = (banyan, command, request)
    (self.embeddings, self.digests) = (embeddings, digests)
  }

  /// Reads what `banyan embed` wrote.
  ///
  /// - Throws: A `BanyanError` that names the file and what does not fit.
  public static func read(_ url: URL) throws -> EmbeddingRecord {
    struct Version: Decodable { var schema: Int }
    let version = try JSONDocument.read(Version.self, from: url).schema
    guard version <= currentSchema else {
      throw BanyanError(
        .malformed, at: "\(url.path): schema", "expected at most \(currentSchema), found \(version)",
        remedy: "Use the version of Banyan that wrote it, or a newer one.")
    }
    let record = try JSONDocument.read(EmbeddingRecord.self, from: url)
    guard record.digests.count == record.embeddings.count else {
      throw BanyanError(
        .malformed, at: "\(url.path): digests", "expected one for each of \(record.embeddings.count) embeddings")
    }
    return record
  }
}
