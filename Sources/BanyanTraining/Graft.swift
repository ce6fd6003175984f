import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTensor
public import Foundation

/// Adds tasks to a trained tree without training the rest again.
///
/// A new task is compared with the old ones by the gradients that a prompt which all of them share gets, as when the tree was
/// built; it becomes a leaf where average linkage would have put it. Its prompt starts from the prompt of its path or of its
/// nearest task that serves it best, and is the only one that learns: what old tasks answer stays the same to the bit. With
/// a ``Refinement`` the prompts above the leaf learn on as well, by a step that is shortened until no old task loses more
/// than the margin on its validation pictures.
///
/// Unlike ``ExperimentRun`` it goes out from a run. The method must have a tree of tasks.
public struct Graft: Sendable {
  /// How far old tasks may fall behind.
  public struct Refinement: Sendable, Equatable {
    /// The most that an old task's validation accuracy may lose, as a fraction.
    public var margin: Double

    /// A margin.
    public init(margin: Double) { self.margin = margin }
  }

  private let run: FinishedRun
  private let tasks: String
  private let only: [String]
  private let refinement: Refinement?
  private let output: RunFolder
  private let model: URL?
  private let cache: URL?
  private let command: [String]
  private let observer: ExperimentObserver

  /// Prepares a graft.
  ///
  /// - Parameters:
  ///   - run: A finished run of a method with a tree.
  ///   - tasks: Where the new tasks are.
  ///   - only: Which of them; all where empty.
  ///   - refinement: Whether prompts above the new leaf learn on.
  ///   - output: Where the new run is written.
  ///   - model: Another place of the run's checkpoint; `nil` for the recorded one.
  ///   - cache: The root of the feature cache; `nil` keeps nothing.
  ///   - command: What the user typed, for the record.
  ///   - observer: Who is told how it goes and may stop it.
  public init(
    _ run: FinishedRun, tasks: String, only: [String] = [], refinement: Refinement? = nil, output: URL,
    model: URL? = nil, cache: URL?, command: [String] = [], observer: ExperimentObserver = ExperimentObserver()
  ) {
    (self.run, self.tasks, self.only, self.refinement) = (run, tasks, only, refinement)
    (self.output, self.model, self.cache) = (RunFolder(output), model, cache)
    (self.command, self.observer) = (command, observer)
  }

  private struct Seed: Codable {
    var run: SeedRun
    var decisions: [GraftDecision]
    var trainableParameters: Int
  }

  /// Grafts, or goes on with seeds that are left.
  ///
  /// - Returns: The record of the run with old and new tasks.
  /// - Throws: A `BanyanError`; of kind `usage` where the method has no tree or a name is taken.
  public func run(_ existing: RunFolder.Existing = .refuse) throws -> RunRecord {
    let entry = try MethodCatalog.entry(run.experiment.method)
    guard try entry.structure(run.experiment.options) == .tree else {
      throw BanyanError(
        .usage, at: "--run \(run.folder.url.path)", "\(run.record.methodTitle) has no tree to graft onto",
        remedy: "Graft onto a run whose method has a tree of tasks; `banyan methods` says which.")
    }
    if let refinement, !(0...1).contains(refinement.margin) {
      throw BanyanError(.usage, at: "--refine", "expected a margin of 0 to 1, found \(refinement.margin)")
    }
    guard output.url.standardizedFileURL != run.folder.url.standardizedFileURL else {
      throw BanyanError(
        .usage, at: "--output", "is the run itself", remedy: "Write the grafted run into a folder of its own.")
    }
    var watch = Stopwatch()
    observer.report(.phase("Reading the model and the tasks"))
    let bench = try watch.time("data") { try run.workbench(model: model, cache: cache) }
    let (experiment, suite) = try watch.time("data") { try extended() }
    let old = run.record.runs.first?.split.map(\.task) ?? []
    let fresh = suite.tasks.map(\.name).filter { !old.contains($0) }
    let lock = try output.open(existing)
    defer { if !output.holdsRun { lock.discard() } }
    if existing == .overwrite { try output.removeRun() }
    try JSONDocument.write(experiment.differences(), to: output.experiment)
    var seeds: [Seed] = []
    for (index, recorded) in run.record.runs.enumerated() {
      observer.report(.seed(recorded.seed, index: index, count: run.record.runs.count))
      let seed = try watch.time("training") {
        try graft(recorded, onto: fresh, experiment: experiment, entry: entry, suite: suite, bench: bench)
      }
      seeds.append(seed)
      observer.report(.result(seed: recorded.seed, tasks: seed.run.tasks.mapValues(\.top1)))
    }
    var seconds = watch.seconds
    seconds["total"] = watch.total
    let record = RunRecord(
      banyan: ExperimentRun.version, engine: Engine.version,
      createdAt: ISO8601DateFormatter().string(from: Date()), command: command, method: run.record.method,
      methodTitle: run.record.methodTitle, experiment: try experiment.resolved(), model: run.record.model,
      device: run.record.device, threads: Engine.threads,
      trainableParameters: seeds.first?.trainableParameters ?? 0, runs: seeds.map(\.run),
      measured: Measured(wallSeconds: seconds, peakMemoryBytes: Stopwatch.peakMemory),
      skippedImages: suite.skipped.map(\.path))
    try JSONDocument.write(seeds.flatMap(\.decisions), to: output.url.appending(path: GraftDecision.fileName))
    try record.write(output.url)
    return record
  }

  /// The run's experiment over old and new tasks, and all of these.
  private func extended() throws -> (Experiment, TaskSuite) {
    var experiment = run.experiment
    let old = run.record.runs.first?.split.map(\.task) ?? []
    var options = experiment.loadingOptions
    (options.only, options.also, options.format, options.imageRoot) = (only, [], .auto, nil)
    options.listPercentage = nil
    let added = try TaskSuite.load(tasks, options: options)
    for task in added.tasks where old.contains(task.name) {
      throw BanyanError(
        .usage, at: "task \(task.name)", "the run knows a task of this name already",
        remedy: "Rename it, or name the new ones with --only.")
    }
    let place = URL(fileURLWithPath: tasks).standardizedFileURL.path
    let places = ([experiment.tasks] + experiment.data.also).map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    if !places.contains(place) { experiment.data.also.append(place) }
    experiment.data.only = old + added.tasks.map(\.name)
    return (experiment, try TaskSuite.load(experiment.tasks, options: experiment.loadingOptions))
  }

  private func graft(
    _ recorded: SeedRun, onto fresh: [String], experiment: Experiment, entry: MethodCatalog.Entry, suite: TaskSuite,
    bench: Workbench
  ) throws -> Seed {
    let seed = recorded.seed
    let saved = try SavedPrompts(run.folder, seed: seed, device: experiment.device)
    let fingerprint = ContentHash.sha256(
      try JSONDocument.data(experiment.resolved(), subject: "experiment")
        + JSONDocument.data(recorded, subject: "seed") + Data("\(bench.fingerprint) \(refinement?.margin ?? -1)".utf8)
        + Data(suite.tasks.filter { fresh.contains($0.name) }.flatMap(\.samples).map(\.sha256).joined().utf8))
    if let done = try SealedDocument<Seed>.read(output.result(seed), fingerprint: fingerprint) { return done }
    var split = try TaskSuite.split(from: recorded.split.map(TaskSplit.init(recorded:)), suite: suite)
    split += try drawn(fresh, beside: split, experiment: experiment, suite: suite, seed: seed)
    let table = try FeatureTable(
      split.flatMap { $0.train + $0.validation + $0.test }, suite: suite, extractor: bench.extractor, view: .centre,
      progress: { observer.report(.features(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
    guard var tree = saved.manifest.tree else {
      throw BanyanError(.malformed, at: run.folder.manifest(seed).path, "expected a tree of tasks, found none")
    }
    var prompts = saved.manifest.tasks.map {
      PromptTask(name: $0.name, classNames: $0.classNames, templates: $0.templates, initialWords: $0.initialWords)
    }
    var parameters = saved.parameters
    var decisions: [GraftDecision] = []
    var learned = 0
    for name in fresh {
      prompts.append(PromptTask(try suite.task(named: name)))
      let context = MethodContext(
        model: bench.model, tokenizer: bench.tokenizer, tasks: prompts, encodingPath: experiment.encodingPath,
        imagePath: experiment.imagePath)
      let training = try split.prefix(prompts.count).enumerated().map { try table.batch($1.train, task: $0) }
      let validation = try split.prefix(prompts.count).enumerated().map { try table.batch($1.validation, task: $0) }
      var step = try Step(
        entry: entry, experiment: experiment, context: context, tree: tree, parameters: parameters, seed: seed,
        training: training, validation: validation, observer: observer)
      try step.learn(refinement)
      (tree, parameters) = (step.tree, step.parameters)
      decisions.append(step.decision)
      learned += step.learned
    }
    return try finish(
      recorded, saved: saved, split: split, table: table, tree: tree, prompts: prompts, parameters: parameters,
      decisions: decisions, learned: learned, experiment: experiment, entry: entry, bench: bench,
      fingerprint: fingerprint)
  }

  /// Samples of the new tasks, none of which an old task has on another side.
  private func drawn(
    _ fresh: [String], beside old: [TaskSplit], experiment: Experiment, suite: TaskSuite, seed: UInt64
  ) throws -> [TaskSplit] {
    let own = TaskSuite(root: suite.root, tasks: suite.tasks.filter { fresh.contains($0.name) })
    let plan = SamplingPlan(amount: experiment.samples, validationShots: experiment.validationShots, seed: seed)
    let learned = Set(old.flatMap { $0.train + $0.validation }.map(\.sha256))
    let tested = Set(old.flatMap(\.test).map(\.sha256))
    return try own.split(plan, dropDuplicates: experiment.data.dropDuplicates).map { split in
      var split = split
      split.train.removeAll { tested.contains($0.sha256) }
      split.validation.removeAll { tested.contains($0.sha256) }
      split.test.removeAll { learned.contains($0.sha256) }
      guard !split.train.isEmpty, !split.test.isEmpty else {
        throw BanyanError(
          .usage, at: "task \(split.task)", "all its pictures are pictures of old tasks",
          remedy: "Give it pictures of its own.")
      }
      return split
    }
  }

  private func finish(
    _ recorded: SeedRun, saved: SavedPrompts, split: [TaskSplit], table: FeatureTable, tree: TaskTree,
    prompts: [PromptTask], parameters: ParameterTree, decisions: [GraftDecision], learned: Int, experiment: Experiment,
    entry: MethodCatalog.Entry, bench: Workbench, fingerprint: String
  ) throws -> Seed {
    observer.report(.phase("Evaluation"))
    var context = MethodContext(
      model: bench.model, tokenizer: bench.tokenizer, tasks: prompts, encodingPath: experiment.encodingPath,
      imagePath: experiment.imagePath)
    context.tree = tree
    let method = try entry.make(experiment.options, context)
    let classifiers = try method.classifiers(parameters)
    let old = saved.manifest.tasks.count
    var results: [String: SeedTaskResult] = [:]
    let evaluator = Evaluator(method, parameters)
    // Old tasks too: texts in a larger batch differ in the last bit, and a record is what is found again.
    for (index, part) in split.enumerated() {
      results[part.task] = try evaluator.evaluate(
        classifiers[index], on: table.batch(part.test, task: index), classNames: prompts[index].classNames)
      // The tree with all tasks never was at a start.
      results[part.task]?.finalLoss = try evaluator.loss(classifiers[index], on: table.batch(part.train, task: index))
    }
    var manifest = saved.manifest
    manifest.tree = tree
    manifest.tasks += zip(prompts, classifiers).dropFirst(old).map { task, classifier in
      .init(
        name: task.name, classNames: task.classNames, templates: task.templates, initialWords: task.initialWords,
        chosen: classifier.chosen)
    }
    let kept = refinement == nil ? saved.classifiers : try classifiers.prefix(old).map { try $0.weights() }
    try SavedPrompts(
      manifest: manifest, parameters: parameters.mapTensors { try $1.to(device: .cpu) },
      classifiers: kept + classifiers.dropFirst(old).map { try $0.weights() }
    ).write(to: output)
    var run = recorded
    (run.split, run.tasks, run.tree) = (split.map(RecordedSplit.init), results, RecordedTree(tree))
    let seed = Seed(run: run, decisions: decisions, trainableParameters: self.run.record.trainableParameters + learned)
    try SealedDocument.write(seed, fingerprint: fingerprint, to: output.result(recorded.seed))
    return seed
  }
}

extension Graft {
  /// One task onto one tree.
  private struct Step {
    let entry: MethodCatalog.Entry
    let experiment: Experiment
    let seed: UInt64
    let training: [TaskBatch]
    let validation: [TaskBatch]
    let observer: ExperimentObserver
    private let method: any PromptMethod
    private(set) var tree: TaskTree
    private(set) var parameters: ParameterTree
    private(set) var decision: GraftDecision
    private(set) var learned = 0
    private let names: [String]
    private var task: Int { names.count - 1 }

    /// Finds the place, and sets the new leaf's prompt to the start that serves the task best.
    init(
      entry: MethodCatalog.Entry, experiment: Experiment, context: MethodContext, tree old: TaskTree,
      parameters saved: ParameterTree, seed: UInt64, training: [TaskBatch], validation: [TaskBatch],
      observer: ExperimentObserver
    ) throws {
      (self.entry, self.experiment, self.seed, self.observer) = (entry, experiment, seed, observer)
      (self.training, self.validation) = (training, validation)
      names = context.tasks.map(\.name)
      let task = names.count - 1
      observer.report(.phase("Affinity of \(names[task])"))
      let meter = AffinityProbe(experiment.affinity, training: experiment.training, structure: .tree)
      let matrix = try meter.measure(
        entry.makeShared(experiment.options, context.withOneForAll()), data: training, names: names, seed: seed,
        progress: { observer.report(.counted(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
      let affinities = Array(matrix.values[task].prefix(task))
      let place = try old.place(affinities)
      let grafted = try old.grafting(names[task], below: place.parent)
      tree = grafted.tree
      var context = context
      context.tree = tree
      let method = try entry.make(experiment.options, context)
      self.method = method
      var parameters = try method.initialParameters(seed: seed)
      for path in saved.paths {
        parameters[Self.moved(path, by: grafted.places)] = try saved.require(path)
      }
      // The prompts of the path, and that of the nearest task.
      let leaf = tree.path(to: task).last ?? task
      let nearest = affinities.indices.max { (affinities[$0], $1) < (affinities[$1], $0) } ?? 0
      let candidates = tree.path(to: task).dropLast() + [tree.path(to: nearest).last ?? 0]
      var best: (node: Int, loss: Double, parameters: ParameterTree)?
      for node in candidates {
        var trial = parameters
        for path in trial.paths where Self.node(of: path) == leaf {
          guard let source = parameters[Self.renamed(path, to: node)], source.shape == parameters[path]?.shape else {
            continue
          }
          trial[path] = try source.clone()
        }
        let loss = try Evaluator(method, trial).loss(method.classifiers(trial)[task], on: training[task])
        if loss < best?.loss ?? .infinity { best = (node, loss, trial) }
      }
      self.parameters = best?.parameters ?? parameters
      let start = best.flatMap { best in grafted.places.firstIndex(of: best.node) } ?? 0
      decision = GraftDecision(
        task: names[task], seed: seed,
        affinities: Dictionary(uniqueKeysWithValues: zip(names, affinities)), nodes: place.nodes, parent: place.parent,
        start: start)
    }

    /// Learns the leaf, and then what is above it.
    mutating func learn(_ refinement: Refinement?) throws {
      observer.report(.phase("Training \(names[task])"))
      let leaf = tree.path(to: task).last
      try train([task]) { Self.node(of: $0) == leaf }
      learned = parameters.paths.filter { Self.node(of: $0) == leaf }.reduce(0) { $0 + (parameters[$1]?.count ?? 0) }
      guard let refinement else { return }
      observer.report(.phase("Refining above \(names[task])"))
      let before = parameters
      let path = Set(tree.path(to: task))
      let sharing = names.indices.filter { !path.isDisjoint(with: tree.path(to: $0)) }
      try train(sharing) { Self.node(of: $0).map(path.contains) ?? false }
      try shorten(from: before, among: sharing.filter { $0 != task }, margin: refinement.margin)
    }

    /// Goes back towards `before` until no old task has lost more than the margin.
    private mutating func shorten(from before: ParameterTree, among old: [Int], margin: Double) throws {
      if let empty = old.first(where: { validation[$0].count == 0 }) {
        throw BanyanError(
          .usage, at: "--refine", "old tasks are guarded by validation pictures, task \(names[empty]) has none",
          remedy: "Train the run with validationShots of 1 or more, or graft without refining.")
      }
      let after = parameters
      func accuracies(_ parameters: ParameterTree) throws -> [Double] {
        let classifiers = try method.classifiers(parameters)
        return try old.map { index in
          let labels = try validation[index].labels.integers().map(Int.init)
          let rows = try Evaluator(method, parameters).probabilities(validation[index], classifiers[index].weights())
          return Double(zip(rows, labels).count { Evaluator.best($0) == $1 }) / Double(max(1, labels.count))
        }
      }
      let floor = try accuracies(before).map { $0 - margin }
      for share in [1, 0.5, 0.25, 0.125, 0] {
        let mixed =
          try share == 1
          ? after
          : after.mapTensors { path, tensor in try before.require(path) * (1 - share) + tensor * share }
        guard try share == 0 || zip(accuracies(mixed), floor).allSatisfy({ $0 >= $1 - 1e-9 }) else { continue }
        parameters = share == 0 ? before : mixed
        decision.refined = share
        return
      }
    }

    private mutating func train(_ tasks: [Int], _ isTrained: (String) -> Bool) throws {
      let trained = parameters.filtered(isTrained)
      // Texts under several prompts are one batch, so that a gradient reaches all of them; only some of them take a step.
      let constants = try parameters.filtered { !isTrained($0) }.mapTensors { try $1.asParameter() }
      let trainer = Trainer(
        method: method, settings: experiment.training, views: [tasks.map { training[$0] }],
        validation: tasks.map { validation[$0] }, names: tasks.map { names[$0] }, seed: seed, constants: constants)
      var state = TrainingState(trained, tasks: tasks.count)
      try trainer.train(
        &state,
        report: { progress in
          observer.report(
            .step(
              seed: seed, step: progress.step, total: progress.total,
              objectives: Dictionary(uniqueKeysWithValues: zip(tasks.map { names[$0] }, progress.objectives)),
              rate: progress.rate))
        }, save: { _ in }, shouldStop: observer.shouldStop)
      parameters = state.parameters.merging(parameters.filtered { !isTrained($0) })
    }

    /// The node that a parameter belongs to, by what all methods with trees call it: `nodes.<index>.…`.
    private static func node(of path: String) -> Int? {
      let parts = path.split(separator: ".", maxSplits: 2)
      return parts.count > 2 && parts[0] == "nodes" ? Int(parts[1]) : nil
    }

    private static func renamed(_ path: String, to node: Int) -> String {
      let parts = path.split(separator: ".", maxSplits: 2)
      return parts.count > 2 && parts[0] == "nodes" ? "nodes.\(node).\(parts[2])" : path
    }

    private static func moved(_ path: String, by places: [Int]) -> String {
      guard let node = node(of: path), places.indices.contains(node) else { return path }
      return renamed(path, to: places[node])
    }
  }
}
