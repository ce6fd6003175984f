import BanyanFoundation
import BanyanPrompts
public import BanyanReports
public import BanyanStructure
import BanyanTasks
import BanyanTensor
import Foundation

extension MapRecord {
  /// Tasks in the plane by the symmetric distances of their embeddings.
  ///
  /// - Parameters:
  ///   - embeddings: Of one probe.
  ///   - title: What is shown.
  ///   - groups: What each task is one of; its own name where `nil`.
  /// - Throws: A `BanyanError` where embeddings do not compare.
  public init(_ embeddings: [TaskEmbedding], title: String, groups: [String]? = nil) throws {
    let affinity = try AffinityMatrix(embeddings: embeddings)
    let squared = affinity.values.flatMap { $0.map { max(0, 1 - $0) * max(0, 1 - $0) } }
    let found = try TSNE()(squaredDistances: squared, count: embeddings.count)
    self.init(
      title: title, divergence: found.divergence,
      places: embeddings.indices.map {
        Place(
          name: embeddings[$0].task, group: groups?[$0] ?? embeddings[$0].task, x: found.places[$0].x,
          y: found.places[$0].y)
      })
  }

  /// The tasks of a file of embeddings; those of decoders are coloured by what kind of thing they ask for.
  ///
  /// - Throws: A `BanyanError` where embeddings do not compare.
  public init(_ record: EmbeddingRecord) throws {
    let kinds = record.request.dense.map { _ in
      record.embeddings.map { embedding in
        DenseKind.allCases.first { embedding.task.hasSuffix(" \($0.rawValue)") }?.family ?? "other"
      }
    }
    try self.init(
      record.embeddings, title: "Tasks by what they ask of the \(Probe.kind(of: record.request.probe))", groups: kinds)
  }
}

extension FinishedRun {
  /// The test pictures of a seed in the plane by their features, coloured by task.
  ///
  /// - Parameters:
  ///   - seed: Which seed.
  ///   - bench: The run's checkpoint.
  ///   - limit: Up to how many pictures, evenly taken from every task.
  ///   - observer: Who is told how it goes and may stop it.
  public func featureMap(
    seed: UInt64, bench: Workbench, limit: Int = 1200, observer: ExperimentObserver = ExperimentObserver()
  ) throws -> MapRecord {
    guard (3...20_000).contains(limit) else {
      throw BanyanError(.usage, at: "--limit \(limit)", "expected 3 to 20000 pictures")
    }
    let restored = try restore(seed: seed, bench: bench, observer: observer)
    let share = max(1, limit / max(1, restored.split.count))
    var rows: [[Double]] = []
    var names: [(name: String, group: String)] = []
    for (index, part) in restored.split.enumerated() {
      let step = max(1, (part.test.count + share - 1) / share)
      let chosen = stride(from: 0, to: part.test.count, by: step).map { part.test[$0] }
      guard !chosen.isEmpty else { continue }
      let features = try restored.table.batch(chosen, task: index).features
      let (width, values) = (features.extent(1), try features.doubles())
      let classNames = restored.saved.manifest.tasks[index].classNames
      guard chosen.allSatisfy({ classNames.indices.contains($0.label) }) else {
        throw BanyanError(
          .malformed, at: folder.manifest(seed).path, "has other classes of \(part.task) than the record",
          remedy: "Restore the run's files from one source, or train again.")
      }
      for (row, sample) in chosen.enumerated() {
        rows.append(Array(values[row * width..<(row + 1) * width]))
        names.append((classNames[sample.label], part.task))
      }
    }
    let found = try TSNE()(rows)
    return MapRecord(
      title: "Features of test pictures by task, seed \(seed)", divergence: found.divergence,
      places: zip(names, found.places).map { MapRecord.Place(name: $0.name, group: $0.group, x: $1.x, y: $1.y) })
  }
}
