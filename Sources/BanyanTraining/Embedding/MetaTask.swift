import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
public import BanyanStructure
public import BanyanTasks
import BanyanTensor
public import Foundation

/// A task about tasks: given a task, select the expert that serves it best among experts of other tasks.
///
/// Tasks are groups of classes of a taxonomy; an expert is trained on each, every expert is tried on every task, and the selection
/// by embeddings is compared with what is best.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, section 5 and supplement 3.
public struct MetaTask {
  private let suite: TaskSuite
  private let experiment: Experiment
  private let settings: EmbeddingSettings
  private let alpha: Double
  private let output: URL
  private let cache: URL?
  private let command: [String]
  private let observer: ExperimentObserver

  /// Prepares a meta-task.
  ///
  /// - Parameters:
  ///   - suite: The tasks, as `TaskSuite.divided(by:least:most:)` makes them.
  ///   - experiment: How an expert is trained: method, samples, one seed, training; its tasks are set here.
  ///   - settings: How embeddings are made.
  ///   - alpha: Of the asymmetric distance.
  ///   - output: Where everything is kept; a stopped meta-task goes on there.
  ///   - cache: The root of the feature cache; `nil` keeps nothing.
  ///   - command: What was typed, for the record.
  ///   - observer: Who is told how it goes and may stop it.
  public init(
    _ suite: TaskSuite, experiment: Experiment, settings: EmbeddingSettings,
    alpha: Double = EmbeddingDistance.defaultAlpha, output: URL, cache: URL?, command: [String] = [],
    observer: ExperimentObserver = ExperimentObserver()
  ) throws {
    guard experiment.seeds.count == 1 else {
      throw BanyanError(.usage, at: "--seeds", "expected one seed for all experts, found \(experiment.seeds.count)")
    }
    try settings.validate()
    guard alpha.isFinite else { throw BanyanError(.usage, at: "--alpha \(alpha)", "expected a finite number") }
    if let key = [
      ("tasks", !experiment.tasks.isEmpty), ("data.only", !experiment.data.only.isEmpty),
      ("data.format", experiment.data.format != .auto), ("data.imageRoot", experiment.data.imageRoot != nil),
    ].first(where: { $0.1 })?.0 {
      throw BanyanError(.usage, at: "--set \(key)", "is set by the meta-task itself", remedy: "Leave it out.")
    }
    (self.suite, self.settings, self.alpha) = (suite, settings, alpha)
    (self.output, self.cache, self.command, self.observer) = (output, cache, command, observer)
    var own = experiment
    own.tasks = output.appending(path: "tasks.csv").standardizedFileURL.path
    own.data.format = .csv
    try own.validate()
    self.experiment = own
  }

  /// What came out: the selection by distance, and by ``Model2Vec`` after learning from all other tasks.
  public struct Outcome: Sendable {
    /// The nearest expert is selected.
    public var nearest: ExpertMatrix
    /// Selected by what other tasks have taught; `nil` for fewer than three tasks.
    public var learned: ExpertMatrix?
  }

  /// What must stay the same for a stopped meta-task to go on.
  private struct Request: Codable, Equatable {
    var experiment: JSONValue
    var settings: EmbeddingSettings
    var alpha: Double
    var table: String
  }

  /// Trains the experts, fills the matrix, and selects; what is there already is not done again.
  ///
  /// - Throws: A `BanyanError`; of kind `interrupted` where it was asked to stop, with all that is done kept.
  public func run() throws -> Outcome {
    let words = try suite.descriptions
    let table = Data(suite.csv.utf8)
    let request = Request(
      experiment: try experiment.resolved(), settings: settings, alpha: alpha,
      table: ContentHash.sha256(table + words))
    let file = output.appending(path: "meta-task.json")
    let isBegun = FileManager.default.fileExists(atPath: file.path)
    if isBegun {
      guard try JSONDocument.read(Request.self, from: file) == request else {
        throw BanyanError(
          .usage, at: output.path, "the folder holds a meta-task with other settings or other tasks",
          remedy: "Choose another --output.")
      }
    } else if let stray = try? FileManager.default.contentsOfDirectory(atPath: output.path).first(where: {
      !$0.hasPrefix(".")
    }) {
      throw BanyanError(
        .failed, at: "--output \(output.path)", "the folder holds \(stray) and no meta-task",
        remedy: "Choose an empty or a new folder.")
    }
    // What can go wrong before any work goes wrong here.
    _ = try Checkpoint(folder: EmbeddedCheckpoint.resolve(experiment.model))
    _ = try suite.split(SamplingPlan(amount: experiment.samples, validationShots: 0, seed: experiment.seeds[0]))
    try AtomicFile.createFolder(output)
    let lock = try RunLock(output.appending(path: ".lock"))
    defer { withExtendedLifetime(lock) {} }
    if !isBegun {
      try AtomicFile.write(table, to: URL(fileURLWithPath: experiment.tasks))
      try AtomicFile.write(words, to: output.appending(path: "tasks.json"))
      try JSONDocument.write(request, to: file)
    }
    var experts: [FinishedRun] = []
    for (index, task) in suite.tasks.enumerated() {
      let folder = output.appending(path: "experts/\(index + 1)")
      var own = experiment
      own.data.only = [task.name]
      observer.report(.note("Expert \(index + 1) of \(suite.tasks.count): \(task.name)"))
      let run = try ExperimentRun(own, output: folder, cache: cache, command: command, observer: observer)
      _ = try run.run(RunFolder(folder).holdsRun ? .resume : .refuse)
      experts.append(try FinishedRun(folder))
    }
    guard let first = experts.first else { throw BanyanError(.usage, at: "taxonomy", "there is no task") }
    try first.useItsThreads()
    let bench = try first.workbench(cache: cache)
    let known = output.appending(path: "embeddings.json")
    let errors = output.appending(path: "errors.json")
    func read<Value: Decodable>(_ url: URL, _ empty: Value) throws -> Value {
      FileManager.default.fileExists(atPath: url.path) ? try JSONDocument.read(Value.self, from: url) : empty
    }
    let recommendation = try Recommendation(
      experts.enumerated().flatMap { index, run in
        try Expert.all(run, seed: nil, bench: bench, observer: observer).map { $0.named(suite.tasks[index].name) }
      }, suite: suite, samples: experiment.samples, seed: experiment.seeds[0], settings: settings, alpha: alpha,
      bench: bench, observer: observer)
    let comparison = try recommendation.compare(
      measuring: true, errors: read(errors, [:]), embeddings: read(known, [:]), command: command,
      save: .init(
        errors: { try JSONDocument.write($0, to: errors, sealed: true) },
        embeddings: { try JSONDocument.write($0, to: known, sealed: true) }))
    let outcome = Outcome(nearest: comparison.matrix, learned: try comparison.leaveOneOut())
    try JSONDocument.write(outcome.nearest, to: output.appending(path: "nearest.json"), sealed: true)
    if let learned = outcome.learned {
      try JSONDocument.write(learned, to: output.appending(path: "learned.json"), sealed: true)
    }
    return outcome
  }
}
