import BanyanFoundation
import BanyanPrompts
public import BanyanReports
public import BanyanStructure
public import BanyanTasks
import BanyanTensor
public import Foundation

/// Embeds the tasks of a suite one after the other, and keeps what is done.
public struct EmbeddingRun {
  let probe: Probe
  let suite: TaskSuite
  let samples: SamplingAmount
  let seed: UInt64
  let settings: EmbeddingSettings
  private let source: String
  let command: [String]

  /// Prepares a measurement of the training pictures of every task.
  ///
  /// - Parameters:
  ///   - suite: The tasks.
  ///   - probe: The network they are looked at through.
  ///   - samples: How much of each task is looked at.
  ///   - seed: Of the pictures, labels and noise that are drawn.
  ///   - settings: How the information is estimated.
  ///   - source: Where the tasks are, for the record.
  ///   - command: What the user typed, for the record.
  public init(
    _ suite: TaskSuite, probe: Probe, samples: SamplingAmount = .all, seed: UInt64 = 1,
    settings: EmbeddingSettings = EmbeddingSettings(), source: String, command: [String] = []
  ) {
    (self.suite, self.probe, self.samples, self.seed) = (suite, probe, samples, seed)
    (self.settings, self.source, self.command) = (settings, source, command)
  }

  /// Embeds, or goes on.
  ///
  /// - Parameters:
  ///   - file: Where the record is kept after every task; a record there of the same request and pictures is gone on from.
  ///   - overwrites: Whether a record of another request is replaced.
  ///   - progress: Called while it goes on.
  ///   - shouldStop: Asked before every batch.
  /// - Throws: A `BanyanError`; of kind `interrupted` where it was asked to stop, with all finished tasks saved.
  public func run(
    file: URL? = nil, overwrites: Bool = false, progress: (ExperimentEvent) -> Void = { _ in },
    shouldStop: () -> Bool = { false }
  ) throws -> EmbeddingRecord {
    let embedder = try Task2Vec(probe, settings)
    var keeper = try EmbeddingKeeper(
      EmbeddingRecord(command: command, request: request()), file: file, overwrites: overwrites)
    let splits = try drawn()
    for (index, split) in splits.enumerated() {
      let digest = Self.digest(split)
      let classes = try suite.task(named: split.task).classNames.count
      try keeper.take(split.task, digest: digest) {
        progress(.phase("Embedding \(split.task), \(index + 1) of \(splits.count)"))
        return try embedder.embed(
          subject(split, classes: classes, identity: digest), seed: seed,
          progress: { progress(.counted(done: $0, total: $1)) }, shouldStop: shouldStop)
      }
    }
    return try keeper.finish()
  }

  /// What is looked at of each task; with all samples whatever is not set aside for tests, which no one is tested on here.
  func drawn() throws -> [TaskSplit] {
    guard samples == .all else {
      return try suite.split(SamplingPlan(amount: samples, validationShots: 0, seed: seed))
    }
    return try suite.tasks.map { task in
      let train = task.samples.filter { $0.split == nil || $0.split == .train }
      guard !train.isEmpty else {
        throw BanyanError(
          .usage, at: "task \(task.name)", "has no pictures to learn from, only such for validation and tests")
      }
      return TaskSplit(task: task.name, train: train, validation: [], test: [])
    }
  }

  func request(dense: Dense? = nil) -> EmbeddingRecord.Request {
    .init(probe: probe.name, tasks: source, samples: samples, seed: seed, settings: settings, dense: dense)
  }

  /// A digest of what is looked at of a task.
  static func digest(_ split: TaskSplit) -> String {
    ContentHash.sha256(split.train.map { "\($0.sha256) \($0.label)" }.joined(separator: "\n"))
  }

  private func subject(_ split: TaskSplit, classes: Int, identity: String) throws -> Task2Vec.Subject {
    let pictures = split.train.map {
      FeatureExtractor.Picture(url: suite.url(of: $0), sha256: $0.sha256)
    }
    let source = PicturePixels(pictures, view: .centre, reader: probe.reader, device: .cpu)
    return Task2Vec.Subject(
      name: split.task, pictures: .init(source, rows: Array(pictures.indices)), labels: split.train.map(\.label),
      classes: classes, identity: identity)
  }
}

extension EmbeddingTable {
  /// What some embeddings say of their tasks.
  ///
  /// - Parameters:
  ///   - embeddings: Of one probe.
  ///   - probe: What it is called.
  /// - Throws: A `BanyanError` where they were made by different probes, or two have one name.
  public init(_ embeddings: [TaskEmbedding], probe: String? = nil) throws {
    let affinity = try AffinityMatrix(embeddings: embeddings)
    self.init(
      rows: embeddings.map {
        Row(task: $0.task, samples: $0.samples, norm: $0.norm, complexity: $0.complexity)
      }, distances: affinity.values.map { $0.map { 1 - $0 } },
      tree: embeddings.count > 1 ? RecordedTree(try TaskTree(clustering: affinity)) : nil, probe: probe)
  }

  /// What a file of embeddings says of its tasks.
  ///
  /// - Throws: A `BanyanError` where embeddings do not compare.
  public init(_ record: EmbeddingRecord) throws {
    try self.init(record.embeddings, probe: "the \(Probe.kind(of: record.request.probe))")
  }
}
