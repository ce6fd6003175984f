import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
import BanyanTasks
public import BanyanTensor
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

  /// The checkpoint that the run used, checked against the record.
  ///
  /// - Parameters:
  ///   - model: Another place of the same checkpoint; `nil` for the recorded one.
  ///   - cache: The root of the feature cache; `nil` keeps nothing.
  public func workbench(model: URL? = nil, cache: URL?) throws -> Workbench {
    try Engine.setThreads(experiment.threads ?? record.threads)
    let bench = try Workbench(
      model: model ?? EmbeddedCheckpoint.resolve(experiment.model), device: experiment.device, cache: cache)
    try check(bench.fingerprint, of: bench.folder)
    return bench
  }

  /// The run's image tower alone, with its preprocessing.
  func extractor(model: URL?) throws -> FeatureExtractor {
    try Engine.setThreads(experiment.threads ?? record.threads)
    let checkpoint = try Checkpoint(folder: model ?? EmbeddedCheckpoint.resolve(experiment.model))
    try check(checkpoint.fingerprint(), of: checkpoint.folder)
    return try FeatureExtractor(
      tower: checkpoint.imageTower(device: experiment.device), preprocessor: Workbench.preprocessor(of: checkpoint),
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

  /// Scores the saved prompts again: classifiers anew from the prompts, pictures anew from the recorded samples.
  ///
  /// - Returns: One result per task, to be compared with the record's.
  public func evaluate(seed: UInt64, bench: Workbench, observer: ExperimentObserver = ExperimentObserver()) throws
    -> [String: SeedTaskResult]
  {
    guard let run = record.runs.first(where: { $0.seed == seed }) else {
      throw BanyanError(.usage, at: "--seed \(seed)", "the run has no such seed")
    }
    let saved = try SavedPrompts(folder, seed: seed, device: experiment.device)
    let suite = try TaskSuite.load(experiment.tasks, options: experiment.loadingOptions)
    let split = try TaskSuite.split(from: run.split.map(TaskSplit.init(recorded:)), suite: suite)
    let table = try FeatureTable(
      split.flatMap { $0.train + $0.test }, suite: suite, extractor: bench.extractor, view: .centre,
      progress: { observer.report(.features(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
    guard split.map(\.task) == saved.manifest.tasks.map(\.name) else {
      throw BanyanError(
        .malformed, at: folder.manifest(seed).path, "its tasks are not those of the record",
        remedy: "Restore the run's files from one source, or train again.")
    }
    let method = try MethodCatalog.entry(saved.manifest.method).make(
      saved.manifest.options,
      MethodContext(
        model: bench.model, tokenizer: bench.tokenizer,
        tasks: saved.manifest.tasks.map {
          PromptTask(name: $0.name, classNames: $0.classNames, templates: $0.templates, initialWords: $0.initialWords)
        }, tree: saved.manifest.tree, encodingPath: experiment.encodingPath))
    let classifiers = try method.classifiers(saved.parameters)
    let initial = try method.classifiers(method.initialParameters(seed: seed))
    let evaluator = Evaluator(logitScale: bench.model.logitScale)
    var results: [String: SeedTaskResult] = [:]
    for (index, part) in split.enumerated() {
      let train = try table.batch(part.train, task: index)
      let losses = try (
        initial: evaluator.loss(initial[index], on: train), final: evaluator.loss(classifiers[index], on: train)
      )
      results[part.task] = try evaluator.evaluate(
        classifiers[index], on: table.batch(part.test, task: index), classNames: saved.manifest.tasks[index].classNames,
        losses: losses)
    }
    return results
  }
}

/// Names pictures with a saved classifier: the image tower and one matrix, no text tower.
public struct PictureClassifier {
  /// A class with its probability.
  public struct Guess: Codable, Sendable, Equatable {
    /// The class name.
    public var name: String
    /// Between 0 and 1; a picture's probabilities add up to 1.
    public var probability: Double
  }

  private let extractor: FeatureExtractor
  private let saved: SavedPrompts

  /// A classifier from the prompts of one seed.
  ///
  /// - Parameters:
  ///   - run: A finished run.
  ///   - seed: Which of its seeds.
  ///   - model: Another place of the run's checkpoint; `nil` for the recorded one.
  public init(_ run: FinishedRun, seed: UInt64, model: URL? = nil) throws {
    extractor = try run.extractor(model: model)
    saved = try SavedPrompts(run.folder, seed: seed, device: run.experiment.device)
  }

  /// The tasks that it knows.
  public var taskNames: [String] { saved.manifest.tasks.map(\.name) }

  /// The unit feature of a picture file, to be named under several tasks.
  public func feature(of url: URL) throws -> Tensor {
    try extractor.feature(of: ImageDecoder.decode(contentsOf: url))
  }

  /// The `count` most probable classes of a task, most probable first.
  public func guesses(_ feature: Tensor, task name: String, count: Int) throws -> [Guess] {
    let index = try self.index(of: name)
    let evaluator = Evaluator(logitScale: saved.manifest.logitScale)
    let row = try evaluator.probabilities(feature, saved.classifiers[index])[0]
    return zip(saved.manifest.tasks[index].classNames, row).map { Guess(name: $0, probability: $1) }
      .sorted { ($1.probability, $0.name) < ($0.probability, $1.name) }
      .prefix(count).map { $0 }
  }

  /// Throws where the run has no task of this name, before any picture is read.
  public func check(task name: String) throws { _ = try index(of: name) }

  private func index(of name: String) throws -> Int {
    guard let index = saved.manifest.tasks.firstIndex(where: { $0.name == name }) else {
      throw BanyanError(
        .usage, at: "--task \(name)", "the run has no such task",
        remedy: NearNames.remedy(for: name, among: taskNames))
    }
    return index
  }
}
