import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
import BanyanTasks
import BanyanTensor
public import Foundation

/// A run that has ended: its record and saved prompts, ready to predict and to be scored again.
public struct FinishedRun: Sendable {
  /// Where it lies.
  public let folder: RunFolder
  /// What came out.
  public let record: RunRecord
  /// What was asked for.
  public let experiment: Experiment

  /// Opens the run in `url`.
  ///
  /// - Throws: A `BanyanError` where there is no finished run.
  public init(_ url: URL) throws {
    folder = RunFolder(url)
    record = try RunRecord.read(url)
    experiment = try Experiment(record.experiment, subject: folder.record.path)
  }

  /// Makes ops use as many threads as the run did, for the same last bits.
  ///
  /// The number is the process's and not the run's; a service that answers for several runs has its own.
  public func useItsThreads() throws { try Engine.setThreads(experiment.threads ?? record.threads) }

  /// The checkpoint that the run used, checked against the record.
  ///
  /// - Parameters:
  ///   - model: Another place of the same checkpoint; `nil` for the recorded one.
  ///   - cache: The root of the feature cache; `nil` keeps nothing.
  public func workbench(model: URL? = nil, cache: URL?) throws -> Workbench {
    let bench = try Workbench(
      model: model ?? EmbeddedCheckpoint.resolve(experiment.model), device: experiment.device,
      precision: experiment.precision, imagePath: experiment.imagePath, cache: cache)
    try check(bench.fingerprint, of: bench.folder)
    return bench
  }

  /// What the run's pictures go through before the tower.
  func preprocessing(model: URL?) throws -> ImagePreprocessor {
    try Workbench.preprocessor(of: Checkpoint(folder: model ?? EmbeddedCheckpoint.resolve(experiment.model)))
  }

  /// The run's image tower alone, with its preprocessing.
  func extractor(model: URL?) throws -> FeatureExtractor {
    let checkpoint = try Checkpoint(folder: model ?? EmbeddedCheckpoint.resolve(experiment.model))
    try check(checkpoint.fingerprint(), of: checkpoint.folder)
    return try FeatureExtractor(
      tower: checkpoint.imageTower(device: experiment.device, precision: experiment.precision),
      preprocessor: Workbench.preprocessor(of: checkpoint), path: experiment.imagePath,
      cache: FeatureCache(root: nil, model: "", preprocessing: "", width: checkpoint.configuration.projectionWidth))
  }

  private func check(_ fingerprint: String, of folder: URL) throws {
    guard fingerprint == record.model.sha256 else {
      throw BanyanError(
        .malformed, at: folder.path, "is not the checkpoint that the prompts were learned with",
        remedy: "Give its folder to --model.")
    }
  }

  /// The seed to use where the user names none or one.
  public func seed(_ wanted: UInt64?) throws -> UInt64 {
    let seed = wanted ?? record.seeds.first
    guard let seed, record.seeds.contains(seed) else {
      throw BanyanError(
        .usage, at: "--seed \(wanted.map(String.init) ?? "")", "the run has no such seed",
        remedy: "Choose one of: \(record.seeds.map(String.init).joined(separator: ", ")).")
    }
    return seed
  }

  /// What a seed of the run has learned, with the pictures that it saw.
  struct Restored {
    var saved: SavedPrompts
    var split: [TaskSplit]
    var table: FeatureTable
    var method: any PromptMethod

    /// The training pictures of every task.
    func training() throws -> [TaskBatch] { try split.enumerated().map { try table.batch($1.train, task: $0) } }

    /// The parameters from which training went out.
    func start(seed: UInt64, _ training: [TaskBatch], observer: ExperimentObserver) throws -> ParameterTree {
      try method.prepared(
        method.initialParameters(seed: seed), training: training, seed: seed, report: observer.prepared(_:of:))
    }
  }

  /// Brings a seed back: prompts from their file, pictures anew from the recorded samples, where `tasks` says where they have
  /// moved to.
  func restore(
    seed: UInt64, bench: Workbench, tasks: String? = nil, observer: ExperimentObserver
  ) throws -> Restored {
    guard let run = record.runs.first(where: { $0.seed == seed }) else {
      throw BanyanError(.usage, at: "--seed \(seed)", "the run has no such seed")
    }
    let saved = try SavedPrompts(folder, seed: seed, device: experiment.device)
    let suite = try TaskSuite.load(tasks ?? experiment.tasks, options: experiment.loadingOptions)
    let split = try TaskSuite.split(from: run.split.map(TaskSplit.init(recorded:)), suite: suite)
    let table = try FeatureTable(
      split.flatMap { $0.train + $0.test }, suite: suite, extractor: bench.extractor, view: .centre,
      progress: { observer.report(.features(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
    guard split.map(\.task) == saved.manifest.tasks.map(\.name) else {
      throw BanyanError(
        .malformed, at: folder.manifest(seed).path, "its tasks are not those of the record",
        remedy: "Restore the run's files from one source, or train again.")
    }
    let method = try saved.method(bench, paths: (experiment.encodingPath, experiment.imagePath))
    return Restored(saved: saved, split: split, table: table, method: method)
  }

  /// Scores the saved prompts again: classifiers anew from the prompts, pictures anew from the recorded samples.
  ///
  /// - Returns: One result per task, to be compared with the record's.
  public func evaluate(seed: UInt64, bench: Workbench, observer: ExperimentObserver = ExperimentObserver()) throws
    -> [String: SeedTaskResult]
  {
    let restored = try restore(seed: seed, bench: bench, observer: observer)
    let (saved, method) = (restored.saved, restored.method)
    let train = try restored.training()
    let classifiers = try method.classifiers(saved.parameters)
    let start = try restored.start(seed: seed, train, observer: observer)
    let initial = try (method.classifiers(start), Evaluator(method, start))
    let evaluator = Evaluator(method, saved.parameters)
    var results: [String: SeedTaskResult] = [:]
    for (index, part) in restored.split.enumerated() {
      let losses = try (
        initial: initial.1.loss(initial.0[index], on: train[index]),
        final: evaluator.loss(classifiers[index], on: train[index])
      )
      results[part.task] = try evaluator.evaluate(
        classifiers[index], on: restored.table.batch(part.test, task: index),
        classNames: saved.manifest.tasks[index].classNames, losses: losses)
    }
    return results
  }
}
