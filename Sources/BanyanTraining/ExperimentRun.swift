import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTensor
public import Foundation

/// One experiment from data to record: the only way in which prompts are trained.
///
/// The phases: read tasks → draw samples → features → per seed (affinity → tree → training → evaluation → saved prompts)
/// → record. Everything that a seed has finished is kept, so that a stopped run goes on where it was.
public struct ExperimentRun: Sendable {
  /// The version that records carry.
  public static let version = "0.1.0"

  private let experiment: Experiment
  private let folder: RunFolder
  private let cache: URL?
  private let command: [String]
  private let observer: ExperimentObserver
  private let status: LiveStatusWriter
  private let recordedSplits: [UInt64: [TaskSplit]]

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - experiment: What to do.
  ///   - output: Where the run's files go.
  ///   - cache: The root of the feature cache; `nil` keeps nothing.
  ///   - command: What the user typed, for the record.
  ///   - repeating: A record whose drawn samples are used again in place of a new draw.
  ///   - observer: Who is told how the run goes and may stop it.
  public init(
    _ experiment: Experiment, output: URL, cache: URL?, command: [String] = [], repeating: RunRecord? = nil,
    observer: ExperimentObserver = ExperimentObserver()
  ) throws {
    try experiment.validate()
    // A continued run must use as many threads as it began with, whatever the machine's default is then.
    var fixed = experiment
    fixed.threads = experiment.threads ?? Self.defaultThreads(experiment)
    self.experiment = fixed
    folder = RunFolder(output)
    self.cache = cache
    self.command = command
    status = LiveStatusWriter(folder, inner: observer)
    self.observer = status.observer
    var splits: [UInt64: [TaskSplit]] = [:]
    for run in repeating?.runs ?? [] { splits[run.seed] = run.split.map(TaskSplit.init(recorded:)) }
    recordedSplits = splits
  }

  /// Runs, or goes on, to the end.
  ///
  /// - Returns: The record, which lies in the output folder too.
  /// - Throws: A `BanyanError`; of kind `interrupted` where the observer asked to stop, with all progress saved.
  public func run(_ existing: RunFolder.Existing = .refuse) throws -> RunRecord {
    let lock = try folder.open(existing)
    // What fails before the run has begun leaves nothing behind.
    defer { if !folder.holdsRun { lock.discard() } }
    let isBegun = existing == .resume && folder.holdsRun
    if isBegun {
      guard !folder.holdsGraft || folder.holdsRecord else {
        throw BanyanError(
          .usage, at: folder.url.path, "the folder holds a stopped graft",
          remedy: "Go on with the same `banyan graft`, replace it with --overwrite, or choose another folder.")
      }
      guard try folder.settings() == experiment.resolved() else {
        throw BanyanError(
          .usage, at: folder.experiment.path, "the folder holds a run with other settings",
          remedy: "Resume with `banyan train --resume --output \(ShellWord.quoted(folder.url.path))` alone, "
            + "replace it with --overwrite, or choose another folder.")
      }
    }
    if isBegun, folder.holdsRecord {
      // A process may have died between the record and the clearing away.
      status.end()
      observer.report(.note("The run in \(folder.url.path) is finished; nothing is left to do."))
      return try RunRecord.read(folder.url)
    }
    if let threads = experiment.threads { try Engine.setThreads(threads) }
    var watch = Stopwatch()
    observer.report(.phase("Reading the model and the tasks"))
    let entry = try MethodCatalog.entry(experiment.method)
    let bench = try watch.time("data") {
      try Workbench(
        model: EmbeddedCheckpoint.resolve(experiment.model), device: experiment.device,
        precision: experiment.precision, imagePath: experiment.imagePath, cache: cache)
    }
    let suite = try watch.time("data") { try TaskSuite.load(experiment.tasks, options: experiment.loadingOptions) }
    for file in suite.skipped { observer.report(.note("Left out \(file.path): \(file.detail)")) }
    if !suite.skipped.isEmpty { observer.report(.note("Pictures left out: \(suite.skipped.count)")) }
    let splits = try watch.time("data") { try experiment.seeds.map { try split(suite, seed: $0) } }
    try check(entry, splits: splits, suite: suite, bench: bench)
    folder.removePartialFiles(experiment.seeds)
    if !isBegun {
      // Only now that the new run can begin does an old one go.
      if existing == .overwrite { try folder.removeRun() }
      try JSONDocument.write(experiment.differences(), to: folder.experiment)
    }
    status.begin(method: entry.descriptor.title)
    defer { status.end() }

    observer.report(.phase("Image features"))
    let tables = try watch.time("features") {
      try FeatureTables(
        splits, suite: suite, bench: bench, augmentedViews: experiment.data.augmentedViews, observer: observer)
    }
    let seeds = SeedRunner(
      experiment: experiment, entry: entry, folder: folder, bench: bench, suite: suite, tables: tables,
      observer: observer)
    var outcomes: [SeedOutcome] = []
    for (index, (seed, split)) in zip(experiment.seeds, splits).enumerated() {
      observer.report(.seed(seed, index: index, count: experiment.seeds.count))
      let earlier = try seeds.finished(seed, split: split)
      let outcome = try earlier ?? seeds.run(seed, split: split)
      outcomes.append(outcome)
      watch.add(outcome.seconds, areOfThisProcess: earlier == nil)
      observer.report(.result(seed: seed, tasks: outcome.run.tasks.mapValues(\.top1)))
    }
    var seconds = watch.seconds
    seconds["total"] = watch.total
    let record = RunRecord(
      banyan: Self.version, engine: Engine.version, createdAt: ISO8601DateFormatter().string(from: Date()),
      command: command, method: entry.descriptor.name, methodTitle: entry.descriptor.title,
      experiment: try experiment.resolved(),
      model: ModelSummary(
        path: experiment.model, sha256: bench.fingerprint, parameters: bench.model.parameters.parameterCount,
        description: bench.model.configuration.summary),
      device: experiment.device.rawValue, threads: Engine.threads,
      trainableParameters: outcomes.first?.trainableParameters ?? 0, runs: outcomes.map(\.run),
      measured: Measured(wallSeconds: seconds, peakMemoryBytes: Stopwatch.peakMemory),
      skippedImages: suite.skipped.map(\.path))
    // Before the record: a folder with one is finished.
    status.end()
    try record.write(folder.url)
    return record
  }

  /// All cores, but one thread for towers so narrow that waking a second one costs more than it brings.
  private static func defaultThreads(_ experiment: Experiment) -> Int {
    let checkpoint = try? Checkpoint(folder: EmbeddedCheckpoint.resolve(experiment.model))
    guard let geometry = checkpoint?.configuration else { return Engine.threads }
    return max(geometry.image.width, geometry.text.width) < 256 ? 1 : Engine.threads
  }

  /// Finds out whether the method takes the tasks' names and its options, before the run begins.
  private func check(_ entry: MethodCatalog.Entry, splits: [[TaskSplit]], suite: TaskSuite, bench: Workbench) throws {
    guard let names = splits.first?.map(\.task), let seed = experiment.seeds.first else { return }
    let structure = try entry.structure(experiment.options)
    let context = try experiment.structured(
      MethodContext(
        model: bench.model, tokenizer: bench.tokenizer, tasks: try names.map { PromptTask(try suite.task(named: $0)) },
        encodingPath: experiment.encodingPath, imagePath: experiment.imagePath), for: structure, affinity: nil,
      seed: seed)
    let method = try entry.make(experiment.options, context)
    _ = try method.initialParameters(seed: seed)
    let chooser =
      experiment.training.earlyStopping != nil ? "training.earlyStopping" : method.needsValidation ? "options" : nil
    if let chooser, let empty = splits.joined().first(where: \.validation.isEmpty) {
      throw BanyanError(
        .usage, at: chooser, "a choice is made on validation pictures, task \(empty.task) has none",
        remedy: "Set validationShots to 1 or more.")
    }
    let title = entry.descriptor.title
    let idle = experiment.idleAffinitySettings(for: structure)
    if !idle.isEmpty {
      let isOne = idle.count == 1
      observer.report(
        .note("\(title): \(idle.joined(separator: ", ")) \(isOne ? "has" : "have") no effect in this run."))
    }
  }

  private func split(_ suite: TaskSuite, seed: UInt64) throws -> [TaskSplit] {
    if let recorded = recordedSplits[seed] { return try TaskSuite.split(from: recorded, suite: suite) }
    return try suite.split(
      SamplingPlan(amount: experiment.samples, validationShots: experiment.validationShots, seed: seed),
      dropDuplicates: experiment.data.dropDuplicates)
  }
}

/// The features of a run: plain ones, and those that training sees.
struct FeatureTables {
  let plain: FeatureTable
  let training: [FeatureTable]

  /// The plain features of all pictures, and of the training pictures one table per augmented view.
  init(
    _ splits: [[TaskSplit]], suite: TaskSuite, bench: Workbench, augmentedViews count: Int, observer: ExperimentObserver
  ) throws {
    func table(_ samples: [Sample], _ view: FeatureExtractor.View) throws -> FeatureTable {
      try FeatureTable(
        samples, suite: suite, extractor: bench.extractor, view: view,
        progress: { observer.report(.features(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
    }
    plain = try table(splits.joined().flatMap { $0.train + $0.validation + $0.test }, .centre)
    let learned = splits.joined().flatMap(\.train)
    let views = try (0..<count).map { view in
      observer.report(.phase("Image features, view \(view + 1) of \(count)"))
      return try table(learned, .augmented(view))
    }
    training = views.isEmpty ? [plain] : views
  }
}
