import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
import BanyanTasks
import BanyanTensor
import Foundation

extension FinishedRun {
  /// Which part of the plane is seen, and how finely.
  public struct LandscapeView: Sendable {
    /// Grid points along each axis.
    public var resolution: Int
    /// How far the grid goes beyond what was learned, as a share of its extent.
    public var margin: Double

    /// A view.
    public init(resolution: Int = 50, margin: Double = 0.35) { (self.resolution, self.margin) = (resolution, margin) }
  }

  /// The landscapes of some tasks of a seed: training loss and test error on a plane of classifiers.
  ///
  /// The plane goes through the classifier of the prompt that training went out from (`w_rand`), the shared one and the task's
  /// own (`w_shr`, `w_ind`); or, with two `others`, through what three runs predict with.
  ///
  /// - Parameters:
  ///   - tasks: Their names; `nil` for all.
  ///   - others: No runs, or two, of the same tasks.
  ///   - seed: The seed of all runs.
  ///   - bench: The runs' checkpoint.
  ///   - view: Which part of the plane is seen, and how finely.
  ///   - command: What was typed, for the record.
  ///   - observer: Who is told how it goes and may stop it.
  /// - Throws: A `BanyanError` where the classifiers are no matrices on frozen features, or span no plane.
  public func landscapes(
    of tasks: [String]?, others: [FinishedRun] = [], seed: UInt64, bench: Workbench,
    view: LandscapeView = LandscapeView(),
    command: [String] = CommandLine.arguments, observer: ExperimentObserver = ExperimentObserver()
  ) throws -> [LandscapeRecord] {
    guard view.resolution >= 2, view.resolution <= 1000 else {
      throw BanyanError(.usage, at: "--resolution \(view.resolution)", "expected a number from 2 to 1000")
    }
    guard others.isEmpty || others.count == 2 else {
      throw BanyanError(.usage, at: "--run", "expected one run or three, found \(others.count + 1)")
    }
    let wanted = tasks ?? record.taskNames
    if let unknown = wanted.first(where: { !record.taskNames.contains($0) }) {
      throw BanyanError(
        .usage, at: "--task \(unknown)", "the run has no such task",
        remedy: NearNames.remedy(for: unknown, among: record.taskNames))
    }
    let restored = try restore(seed: seed, bench: bench, observer: observer)
    try requireMatrices(restored.method)
    let training = try restored.training()
    let learned = try restored.method.classifiers(restored.saved.parameters)
    let started =
      try others.isEmpty
      ? restored.method.classifiers(restored.start(seed: seed, training, observer: observer)) : []
    let theirs = try others.map { try $0.classifiers(like: restored, seed: seed, bench: bench) }
    return try wanted.map { task in
      guard let index = restored.split.firstIndex(where: { $0.task == task }) else {
        throw BanyanError(.failed, at: task, "the run's split lacks the task")
      }
      let named =
        try others.isEmpty
        ? solutions(learned[index], started: started[index])
        : [(folder.url.lastPathComponent, learned[index].weights())]
          + zip(others, theirs).map { ($0.folder.url.lastPathComponent, $1[index]) }
      let runs = ([self] + others).map { $0.folder.url.lastPathComponent }
      return try landscape(
        named, task: task, runs: runs, seed: seed, train: training[index],
        test: restored.table.batch(restored.split[index].test, task: index), scale: restored.method.logitScale,
        view: view,
        command: command)
    }
  }

  private func requireMatrices(_ method: any PromptMethod) throws {
    guard method.predictsByMatrix else {
      throw BanyanError(
        .usage, at: folder.url.path,
        "\(record.methodTitle) does not predict by a matrix on the frozen tower's features",
        remedy: "Choose a run of a method that learns text prompts.")
    }
  }

  /// The plane's three first, then the mean and the nodes.
  private func solutions(_ learned: TaskClassifier, started: TaskClassifier) throws -> [(String, Tensor)] {
    let combinations = learned.combinations
    guard let own = combinations["individual"], let shared = combinations["shared"], let mean = combinations["average"],
      let start = started.combinations["individual"]
    else {
      throw BanyanError(
        .usage, at: folder.url.path, "\(record.methodTitle) has no shared classifier beside the task's own",
        remedy: "Choose a run with a tree of prompts, or give three runs with --run.")
    }
    return [("w_rand", start), ("w_shr", shared), ("w_ind", own), ("w_avg", mean)]
      + learned.parts.sorted { $0.key.localizedStandardCompare($1.key) == .orderedAscending }.map { ($0.key, $0.value) }
  }

  /// What another run of the same tasks predicts with, in the order of `restored`.
  private func classifiers(like restored: Restored, seed: UInt64, bench: Workbench) throws -> [Tensor] {
    let saved = try SavedPrompts(folder, seed: seed, device: experiment.device)
    guard record.model.sha256 == bench.fingerprint else {
      throw BanyanError(.usage, at: folder.url.path, "was learned with another checkpoint than the first run")
    }
    let method = try saved.method(bench, paths: (experiment.encodingPath, experiment.imagePath))
    try requireMatrices(method)
    let found = try method.classifiers(saved.parameters)
    return try restored.saved.manifest.tasks.map { task in
      guard let index = saved.manifest.tasks.firstIndex(where: { $0.name == task.name }),
        saved.manifest.tasks[index].classNames == task.classNames
      else {
        throw BanyanError(.usage, at: folder.url.path, "lacks the task \(task.name), or has other classes in it")
      }
      return try found[index].weights()
    }
  }

  private func landscape(
    _ named: [(String, Tensor)], task: String, runs: [String], seed: UInt64, train: TaskBatch, test: TaskBatch,
    scale: Double, view: LandscapeView, command: [String]
  ) throws -> LandscapeRecord {
    let plane = try ClassifierPlane(named[0].1, named[1].1, named[2].1)
    let evaluator = Evaluator(logitScale: scale)
    let labels = try test.labels.integers().map(Int.init)
    let places = try named.map { name, weights in
      let at = try plane.place(of: weights)
      let guesses = try evaluator.probabilities(test, weights).map { row in
        row.indices.max { (row[$0], $1) < (row[$1], $0) } ?? 0
      }
      return LandscapeRecord.Place(
        name: name, x: at.x, y: at.y, distance: at.distance,
        trainLoss: try evaluator.loss(TaskClassifier(weights), on: train),
        testError: Double(zip(guesses, labels).count { $0 != $1 }) / Double(max(1, labels.count)))
    }
    func axis(_ values: [Double]) -> (low: Double, high: Double) { (values.min() ?? 0, values.max() ?? 0) }
    let (across, up) = (axis(places.map(\.x)), axis(places.map(\.y)))
    // As far both ways, so that the grid's cells are squares.
    let side = max(across.high - across.low, up.high - up.low) * (1 + 2 * view.margin)
    func steps(_ range: (low: Double, high: Double)) -> [Double] {
      let middle = (range.low + range.high) / 2
      return (0..<view.resolution).map { middle + side * (Double($0) / Double(view.resolution - 1) - 0.5) }
    }
    let (x, y) = (steps(across), steps(up))
    return LandscapeRecord(
      banyan: ExperimentRun.version, command: command, runs: runs, task: task, seed: seed, x: x, y: y,
      trainLoss: try plane.surface(train, logitScale: scale, x: x, y: y).loss,
      testError: try plane.surface(test, logitScale: scale, x: x, y: y).error, places: places)
  }
}
