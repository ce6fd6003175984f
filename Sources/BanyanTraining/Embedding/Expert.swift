import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTensor
import Foundation

/// What a saved run has learned for one of its tasks, seen as what another task might use.
public struct Expert: Sendable {
  /// The run.
  public let run: FinishedRun
  /// Which of its seeds.
  public let seed: UInt64
  /// The run's folder and the task, for people.
  public private(set) var name: String
  private let restored: FinishedRun.Restored
  private let index: Int
  private let bench: Workbench

  /// The experts of a run, one for each of its tasks.
  ///
  /// - Parameters:
  ///   - run: A finished run.
  ///   - seed: Which of its seeds; the first where `nil`.
  ///   - bench: The run's own checkpoint.
  ///   - observer: Who is told how it goes and may stop it.
  /// - Throws: A `BanyanError` where the run's files or pictures are gone.
  public static func all(
    _ run: FinishedRun, seed: UInt64?, bench: Workbench, observer: ExperimentObserver = ExperimentObserver()
  ) throws -> [Expert] {
    guard run.record.model.sha256 == bench.fingerprint else {
      throw BanyanError(
        .usage, at: run.folder.url.path, "was learned with another checkpoint than the first run",
        remedy: "Compare runs of one checkpoint.")
    }
    let seed = try run.seed(seed)
    let restored = try run.restore(seed: seed, bench: bench, observer: observer)
    let folder = run.folder.url.lastPathComponent
    return restored.split.indices.map { index in
      let task = restored.split[index].task
      let name = restored.split.count == 1 && folder == task ? task : "\(folder)/\(task)"
      return Expert(run: run, seed: seed, name: name, restored: restored, index: index, bench: bench)
    }
  }

  private init(
    run: FinishedRun, seed: UInt64, name: String, restored: FinishedRun.Restored, index: Int, bench: Workbench
  ) {
    (self.run, self.seed, self.name) = (run, seed, name)
    (self.restored, self.index, self.bench) = (restored, index, bench)
  }

  /// The task that it was trained on.
  public var task: String { restored.split[index].task }

  /// The same expert under another name.
  func named(_ name: String) -> Expert {
    var copy = self
    copy.name = name
    return copy
  }

  /// A digest of the pictures that it has learned from, with their labels.
  var identity: String { Self.identity(restored.split[index].train) }

  fileprivate static func identity(_ samples: [Sample]) -> String {
    ContentHash.sha256(samples.map { "\($0.sha256) \($0.label)" }.sorted().joined(separator: "\n"))
  }

  /// The digests of the pictures that it has learned from.
  var trainingDigests: Set<String> { Set(restored.split[index].train.map(\.sha256)) }

  /// What it was trained on, to be embedded.
  func subject() throws -> Task2Vec.Subject {
    let batch = try restored.table.batch(restored.split[index].train, task: index)
    guard let pictures = batch.pictures else { throw BanyanError(.failed, at: name, "has no pictures") }
    return Task2Vec.Subject(
      name: name, pictures: pictures, labels: restored.split[index].train.map(\.label),
      classes: restored.saved.manifest.tasks[index].classNames.count, identity: identity)
  }

  /// The share of a task's test pictures that it gets wrong.
  ///
  /// Where the expert has changed the image tower a linear classifier is learned on its features of the task's training
  /// pictures, as the paper does; where it has learned words, they are put before the task's own class names.
  ///
  /// - Returns: `nil` where what it has learned cannot be put to other classes, such as a matrix of its own classes.
  func error(on target: Target) throws -> Double? {
    let saved = restored.saved
    var (train, test) = (target.train, target.test)
    (train.task, test.task) = (index, index)
    do {
      // One class more: whatever changes its shape with it was learned for the expert's own classes.
      let larger = try moved(to: target.classNames + ["another"])
      let shapes = try larger.initialParameters(seed: seed)
      guard shapes.paths == saved.parameters.paths,
        try shapes.paths.allSatisfy({ try shapes.require($0).shape == saved.parameters.require($0).shape })
      else { return nil }
    } catch let error as BanyanError where error.kind == .usage {
      // A class name that the prompt leaves no room for.
      return nil
    }
    let method = try moved(to: target.classNames)
    return try Engine.withoutGradients {
      if method.readsPixels {
        return try Self.error(of: method, saved.parameters, train: train, test: test, classes: target.classNames.count)
      }
      let classifier = try method.classifiers(saved.parameters)[index]
      let result = try Evaluator(method, saved.parameters).evaluate(classifier, on: test, classNames: target.classNames)
      return Self.error(wrong: result.count - result.correct, of: result.count)
    }
  }

  /// The expert's method with other classes in the place of its own.
  private func moved(to classNames: [String]) throws -> any PromptMethod {
    let saved = restored.saved
    var manifest = saved.manifest
    manifest.tasks[index].classNames = classNames
    return try SavedPrompts(manifest: manifest, parameters: saved.parameters, classifiers: saved.classifiers)
      .method(bench, paths: (run.experiment.encodingPath, run.experiment.imagePath))
  }

  private static func error(wrong: Int, of count: Int) -> Double { Double(wrong) / Double(max(1, count)) }

  private static func error(
    of method: any PromptMethod, _ parameters: ParameterTree, train: TaskBatch, test: TaskBatch, classes: Int
  ) throws -> Double {
    func features(_ batch: TaskBatch) throws -> Tensor {
      try Tensor.concatenated(
        stride(from: 0, to: batch.count, by: 64).map { start in
          try method.features(parameters, batch.rows(Array(start..<min(start + 64, batch.count))))
        }, axis: 0)
    }
    let head = try ProbeHead.converged(
      features(train), labels: train.labels.integers().map(Int.init), classes: classes,
      weightDecay: EmbeddingSettings().weightDecay)
    let guesses = try head.logits(features(test)).argmax(1).integers()
    let labels = try test.labels.integers()
    return error(wrong: zip(guesses, labels).count { $0 != $1 }, of: labels.count)
  }

  /// A task that experts are asked about.
  public struct Target: Sendable {
    /// Its name.
    public let task: String
    let classNames: [String]
    let train: TaskBatch
    let test: TaskBatch
    let digests: Set<String>
    let identity: String

    init(_ split: TaskSplit, classNames: [String], train: TaskBatch, test: TaskBatch) {
      (task, self.classNames, self.train, self.test) = (split.task, classNames, train, test)
      digests = Set((split.train + split.test).map(\.sha256))
      identity = Expert.identity(split.train)
    }

    /// What is embedded of it.
    func subject() throws -> Task2Vec.Subject {
      guard let pictures = train.pictures else { throw BanyanError(.failed, at: task, "has no pictures") }
      return Task2Vec.Subject(
        name: task, pictures: pictures, labels: try train.labels.integers().map(Int.init), classes: classNames.count,
        identity: identity)
    }
  }
}
