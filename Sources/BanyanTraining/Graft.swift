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
/// a ``Refinement`` the prompts above the leaf learn on as well, by a step that is shortened until no task that was there loses
/// more than the margin on its validation pictures, over all new tasks together.
///
/// Unlike ``ExperimentRun`` it goes out from a run. The method must have a tree of tasks.
public struct Graft: Sendable {
  /// How far old tasks may fall behind.
  public struct Refinement: Sendable, Equatable {
    /// The most that a task's validation accuracy may lose to all that come after it, as a fraction.
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
    guard !output.isSamePlace(as: run.folder) else {
      throw BanyanError(
        .usage, at: "--output", "is the run itself", remedy: "Write the grafted run into a folder of its own.")
    }
    var watch = Stopwatch()
    observer.report(.phase("Reading the model and the tasks"))
    try run.useItsThreads()
    let bench = try watch.time("data") { try run.workbench(model: model, cache: cache) }
    let (experiment, suite) = try watch.time("data") { try extended() }
    let old = run.record.runs.first?.split.map(\.task) ?? []
    let fresh = suite.tasks.map(\.name).filter { !old.contains($0) }
    // What can be refused is refused before an earlier run in the folder goes.
    let splits = try run.record.runs.map { try split($0, fresh: fresh, experiment: experiment, suite: suite) }
    try check(splits, fresh: fresh, bench: bench)
    let lock = try output.open(existing)
    defer { if !output.holdsRun { lock.discard() } }
    try begin(existing, experiment)
    output.removePartialFiles(experiment.seeds)
    var seeds: [Seed] = []
    for (index, recorded) in run.record.runs.enumerated() {
      observer.report(.seed(recorded.seed, index: index, count: run.record.runs.count))
      let seed = try watch.time("training") {
        try graft(
          recorded, onto: fresh, split: splits[index], experiment: experiment, entry: entry, suite: suite, bench: bench)
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
    try JSONDocument.write(seeds.flatMap(\.decisions), to: output.decisions)
    try record.write(output.url)
    return record
  }

  /// Whether the run can be grafted onto as it is asked for.
  private func check(_ splits: [[TaskSplit]], fresh: [String], bench: Workbench) throws {
    for (recorded, split) in zip(run.record.runs, splits) {
      let saved = try SavedPrompts(run.folder, seed: recorded.seed, device: run.experiment.device)
      guard let tree = saved.manifest.tree else {
        throw BanyanError(
          .malformed, at: run.folder.manifest(recorded.seed).path, "expected a tree of tasks, found none")
      }
      try tree.requireOwnLeaves()
      let guarded = refinement == nil ? [] : split.prefix(split.count - 1)
      if let empty = guarded.first(where: \.validation.isEmpty) {
        throw BanyanError(
          .usage, at: "--refine", "what is there is guarded by validation pictures, task \(empty.task) has none",
          remedy: "Train the run with validationShots of 1 or more, or graft without refining.")
      }
      let method = try saved.method(bench, paths: (run.experiment.encodingPath, run.experiment.imagePath))
      let isChosen = method.needsValidation || run.experiment.training.earlyStopping != nil
      if isChosen, let empty = split.first(where: { fresh.contains($0.task) && $0.validation.isEmpty }) {
        throw BanyanError(
          .usage, at: "task \(empty.task)", "the run chooses by validation pictures, and it has none",
          remedy: "Give it some.")
      }
    }
  }

  /// Makes the folder this graft's.
  private func begin(_ existing: RunFolder.Existing, _ experiment: Experiment) throws {
    if existing == .resume, output.holdsRun {
      let isAskedFor = try output.settings() == experiment.resolved()
      // Killed between the two files of its beginning.
      if isAskedFor, !output.holdsGraft, !output.holdsSeeds {
        try JSONDocument.write([GraftDecision](), to: output.decisions)
        return
      }
      guard output.holdsGraft, isAskedFor else {
        throw BanyanError(
          .usage, at: output.experiment.path, "the folder holds a stopped run that is not this graft",
          remedy: "Choose another folder, or replace the run with --overwrite.")
      }
      return
    }
    if existing == .overwrite { try output.removeRun() }
    try JSONDocument.write(experiment.differences(), to: output.experiment)
    // Tells a stopped graft from a stopped training.
    try JSONDocument.write([GraftDecision](), to: output.decisions)
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
    _ recorded: SeedRun, onto fresh: [String], split: [TaskSplit], experiment: Experiment, entry: MethodCatalog.Entry,
    suite: TaskSuite, bench: Workbench
  ) throws -> Seed {
    let seed = recorded.seed
    let saved = try SavedPrompts(run.folder, seed: seed, device: experiment.device)
    // Everything that the result is made of: the run's prompts and the new tasks' words among it.
    let words = try fresh.map { name in
      let task = PromptTask(try suite.task(named: name))
      return SavedPrompts.Manifest.Task(
        name: name, classNames: task.classNames, templates: task.templates, initialWords: task.initialWords, chosen: "")
    }
    let fingerprint = ContentHash.sha256(
      try JSONDocument.data(experiment.resolved(), subject: "experiment")
        + JSONDocument.data(recorded, subject: "seed") + Data("\(bench.fingerprint) \(refinement?.margin ?? -1)".utf8)
        + JSONDocument.data(split.map(RecordedSplit.init), subject: "split")
        + JSONDocument.data(words, subject: "tasks")
        + Data("\(saved.digest ?? "") \(Engine.version)".utf8))
    if let done = try SealedDocument<Seed>.read(output.result(seed), fingerprint: fingerprint) { return done }
    let tables = try FeatureTables(
      [split], suite: suite, bench: bench, augmentedViews: experiment.data.augmentedViews, observer: observer)
    guard var tree = saved.manifest.tree else {
      throw BanyanError(.malformed, at: run.folder.manifest(seed).path, "expected a tree of tasks, found none")
    }
    var prompts = saved.manifest.tasks.map {
      PromptTask(name: $0.name, classNames: $0.classNames, templates: $0.templates, initialWords: $0.initialWords)
    }
    var parameters = saved.parameters
    var decisions: [GraftDecision] = []
    var floors: [Int: Double] = [:]
    var learned = 0
    for name in fresh {
      prompts.append(PromptTask(try suite.task(named: name)))
      let context = MethodContext(
        model: bench.model, tokenizer: bench.tokenizer, tasks: prompts, encodingPath: experiment.encodingPath,
        imagePath: experiment.imagePath)
      let known = split.prefix(prompts.count).enumerated()
      var step = try Step(
        entry: entry, experiment: experiment, context: context, tree: tree, parameters: parameters, seed: seed,
        data: .init(
          plain: known.map { try tables.plain.batch($1.train, task: $0) },
          views: tables.training.map { table in try known.map { try table.batch($1.train, task: $0) } },
          validation: known.map { try tables.plain.batch($1.validation, task: $0) }), bench: bench, observer: observer)
      try step.learn(refinement, floors: &floors)
      try step.complete()
      (tree, parameters) = (step.tree, step.parameters)
      decisions.append(step.decision)
      learned += step.learned
    }
    return try finish(
      recorded, saved: saved, split: split, table: tables.plain, tree: tree, prompts: prompts, parameters: parameters,
      decisions: decisions, learned: learned, experiment: experiment, entry: entry, bench: bench,
      fingerprint: fingerprint)
  }

  /// The recorded samples of a seed, and samples of the new tasks, none of which an old task has on another side.
  private func split(_ recorded: SeedRun, fresh: [String], experiment: Experiment, suite: TaskSuite) throws
    -> [TaskSplit]
  {
    let old = try TaskSuite.split(from: recorded.split.map(TaskSplit.init(recorded:)), suite: suite)
    let learned = Set(old.flatMap { $0.train + $0.validation }.map(\.sha256))
    let tested = Set(old.flatMap(\.test).map(\.sha256))
    let all = suite.tasks.filter { fresh.contains($0.name) }
    var own = all
    // What old tasks are tested on is not drawn to learn from; as a given test it may stay.
    for index in own.indices { own[index].samples.removeAll { $0.split != .test && tested.contains($0.sha256) } }
    let plan = SamplingPlan(
      amount: experiment.samples, validationShots: experiment.validationShots, seed: recorded.seed)
    let drawn: [TaskSplit]
    do {
      drawn = try TaskSuite(root: suite.root, tasks: own).split(plan, dropDuplicates: experiment.data.dropDuplicates)
    } catch let error as BanyanError where own != all {
      throw BanyanError(
        error.kind, at: error.subject, "\(error.message), without pictures that old tasks are tested on",
        remedy: error.remedy)
    }
    return try old
      + drawn.map { split in
        var split = split
        split.test.removeAll { learned.contains($0.sha256) }
        guard !split.test.isEmpty else {
          throw BanyanError(
            .usage, at: "task \(split.task)", "old tasks learned from all its test pictures",
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
    /// Pictures of all tasks so far, one batch a task.
    struct Pictures {
      var plain: [TaskBatch]
      /// What training sees, one list a view.
      var views: [[TaskBatch]]
      var validation: [TaskBatch]
    }

    let entry: MethodCatalog.Entry
    let experiment: Experiment
    let seed: UInt64
    let data: Pictures
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
      parameters saved: ParameterTree, seed: UInt64, data: Pictures, bench: Workbench, observer: ExperimentObserver
    ) throws {
      (self.entry, self.experiment, self.seed, self.observer) = (entry, experiment, seed, observer)
      self.data = data
      names = context.tasks.map(\.name)
      let task = names.count - 1
      observer.report(.phase("Affinity of \(names[task])"))
      let matrix = try TaskAffinity(experiment: experiment, entry: entry, bench: bench, observer: observer)
        .measure(context, data: data.plain, seed: seed)
      let affinities = Array(matrix.values[task].prefix(task))
      let place = try old.place(matrix)
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
        let loss = try Evaluator(method, trial).loss(method.classifiers(trial)[task], on: data.plain[task])
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
    ///
    /// - Parameter floors: The lowest validation accuracy that each task may come to, by its number; those that are not known are
    ///   set by what the task has now.
    mutating func learn(_ refinement: Refinement?, floors: inout [Int: Double]) throws {
      observer.report(.phase("Training \(names[task])"))
      let leaf = tree.path(to: task).last
      try train([task]) { Self.node(of: $0) == leaf }
      learned = parameters.paths.filter { Self.node(of: $0) == leaf }.reduce(0) { $0 + (parameters[$1]?.count ?? 0) }
      guard let refinement else { return }
      let path = Set(tree.path(to: task))
      let sharing = names.indices.filter { !path.isDisjoint(with: tree.path(to: $0)) }
      // Beside the roots there is nothing above the leaf.
      guard sharing.count > 1 else { return }
      observer.report(.phase("Refining above \(names[task])"))
      let before = parameters
      let old = sharing.filter { $0 != task }
      let present = try accuracies(before, of: old)
      for (index, accuracy) in zip(old, present) where floors[index] == nil {
        floors[index] = accuracy - refinement.margin
      }
      try train(sharing) { Self.node(of: $0).map(path.contains) ?? false }
      let kept = try shorten(from: before, among: old, floors: floors)
      decision.guarded = Dictionary(
        uniqueKeysWithValues: zip(old, zip(present, kept)).map { index, values in
          (names[index], GraftDecision.Guarded(before: values.0, after: values.1))
        })
    }

    /// Fits what the method fits to learned prompts, for the new task alone: what old tasks have stays as it was saved.
    mutating func complete() throws {
      let fitted = try method.finished(parameters, training: data.plain, validation: data.validation, seed: seed)
      learned += fitted.paths.filter { parameters[$0] == nil }.reduce(0) { $0 + (fitted[$1]?.count ?? 0) }
      parameters = fitted.merging(parameters)
    }

    /// Goes back towards `before` until no old task is below its floor; the accuracies there.
    private mutating func shorten(from before: ParameterTree, among old: [Int], floors: [Int: Double]) throws
      -> [Double]
    {
      let after = parameters
      for share in [1, 0.5, 0.25, 0.125] {
        let mixed =
          try share == 1
          ? after
          : after.mapTensors { path, tensor in
            let old = try before.require(path)
            // What has not moved stays to the bit.
            return try old.isIdentical(to: tensor) ? tensor : old * (1 - share) + tensor * share
          }
        let accuracies = try accuracies(mixed, of: old)
        guard zip(old, accuracies).allSatisfy({ $1 >= (floors[$0] ?? 0) - 1e-9 }) else { continue }
        (parameters, decision.refined) = (mixed, share)
        return accuracies
      }
      (parameters, decision.refined) = (before, 0)
      return try accuracies(before, of: old)
    }

    /// On validation pictures, as the tasks predict.
    private func accuracies(_ parameters: ParameterTree, of tasks: [Int]) throws -> [Double] {
      let classifiers = try method.classifiers(parameters)
      return try tasks.map { index in
        let labels = try data.validation[index].labels.integers().map(Int.init)
        let rows = try Evaluator(method, parameters).probabilities(data.validation[index], classifiers[index].weights())
        return Double(zip(rows, labels).count { Evaluator.best($0) == $1 }) / Double(max(1, labels.count))
      }
    }

    private mutating func train(_ tasks: [Int], _ isTrained: (String) -> Bool) throws {
      let trained = parameters.filtered(isTrained)
      // Texts under several prompts are one batch, so that a gradient reaches all of them; only some of them take a step.
      let constants = try parameters.filtered { !isTrained($0) }.mapTensors { try $1.asParameter() }
      let trainer = Trainer(
        method: method, settings: experiment.training, views: data.views.map { view in tasks.map { view[$0] } },
        validation: tasks.map { data.validation[$0] }, names: tasks.map { names[$0] }, seed: seed, constants: constants)
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
