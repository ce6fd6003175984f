import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTensor
import Foundation

/// What a finished seed leaves for the record.
struct SeedOutcome: Codable {
  var run: SeedRun
  var trainableParameters: Int
  var seconds: [String: Double]
}

/// One seed of an experiment: affinity, tree, training, evaluation and what is saved.
struct SeedRunner {
  let experiment: Experiment
  let entry: MethodCatalog.Entry
  let folder: RunFolder
  let bench: Workbench
  let suite: TaskSuite
  let tables: FeatureTables
  let observer: ExperimentObserver

  /// What an earlier process found, where it finished this seed.
  func finished(_ seed: UInt64, split: [TaskSplit]) throws -> SeedOutcome? {
    let outcome = try SealedDocument<SeedOutcome>.read(
      folder.result(seed), fingerprint: fingerprint(seed, split))
    // The process may have died between the result and the clearing away.
    if outcome != nil { folder.removeWork(of: seed) }
    return outcome
  }

  func run(_ seed: UInt64, split: [TaskSplit]) throws -> SeedOutcome {
    let fingerprint = try fingerprint(seed, split)
    var watch = Stopwatch()
    let names = split.map(\.task)
    let training = try tables.training.map { table in
      try split.enumerated().map { try table.batch($1.train, task: $0) }
    }
    let validation = try split.enumerated().map { try tables.plain.batch($1.validation, task: $0) }
    var context = MethodContext(
      model: bench.model, tokenizer: bench.tokenizer, tasks: try names.map { PromptTask(try suite.task(named: $0)) },
      encodingPath: experiment.encodingPath, imagePath: experiment.imagePath)

    var affinity: AffinityMatrix?
    let structure = try entry.structure(experiment.options)
    if experiment.measuresAffinity(for: structure) {
      affinity = try watch.time("affinity") {
        try self.affinity(context, data: training[0], seed: seed, fingerprint: fingerprint)
      }
    }
    context = try experiment.structured(context, for: structure, affinity: affinity, seed: seed)
    if structure != .none {
      observer.report(.structure(tree: context.tree.map(RecordedTree.init), groups: context.groups?.namedGroups))
    }
    let method = try entry.make(experiment.options, context)
    let plain = try split.enumerated().map { try tables.plain.batch($1.train, task: $0) }
    let initial = try watch.time("training") {
      try prepared(method, training: plain, seed: seed, fingerprint: fingerprint)
    }
    let (trainable, constants) = try method.selection.split(initial)
    noteSettings(learnsBySteps: trainable.count > 0, seed: seed)
    let trainer = Trainer(
      method: method, settings: experiment.training, views: training, validation: validation, names: names, seed: seed,
      constants: constants)
    let state = try watch.time("training") {
      try train(trainer, initial: trainable, names: names, seed: seed, fingerprint: fingerprint)
    }
    let parameters = try watch.time("training") {
      try method.finished(
        state.parameters.merging(constants), training: plain, validation: validation, seed: seed)
    }

    observer.report(.phase("Evaluation"))
    let (classifiers, results) = try watch.time("evaluation") {
      let before = try (method.classifiers(initial), Evaluator(method, initial))
      let after = try method.classifiers(parameters)
      let evaluator = Evaluator(method, parameters)
      var results: [String: SeedTaskResult] = [:]
      for (index, part) in split.enumerated() {
        let losses = try (
          initial: before.1.loss(before.0[index], on: plain[index]),
          final: evaluator.loss(after[index], on: plain[index])
        )
        results[part.task] = try evaluator.evaluate(
          after[index], on: tables.plain.batch(part.test, task: index), classNames: context.tasks[index].classNames,
          losses: losses)
      }
      return (after, results)
    }
    try save(parameters, classifiers, of: method, context: context, seed: seed)
    let outcome = SeedOutcome(
      run: SeedRun(
        seed: seed, split: split.map(RecordedSplit.init), affinity: affinity.map { record($0, for: structure) },
        tree: context.tree.map(RecordedTree.init), groups: context.groups?.namedGroups,
        groupsGap: try experiment.groupsGap(for: structure, affinity: affinity), tasks: results,
        steps: state.step,
        lossCurve: curve(state, trainer, names), chosenCombination: classifiers.first?.chosen),
      // What stayed as it was set at the start was not learned.
      trainableParameters: try parameters.paths.reduce(0) { sum, path in
        guard let now = parameters[path] else { return sum }
        let isConstant = try constants[path].map { try $0.isIdentical(to: now) } ?? false
        return sum + (isConstant ? 0 : now.count)
      }, seconds: watch.seconds)
    try SealedDocument.write(outcome, fingerprint: fingerprint, to: folder.result(seed))
    folder.removeWork(of: seed)
    return outcome
  }

  /// The parameters before the first step.
  ///
  /// Where they took steps they are kept until the seed is finished.
  private func prepared(_ method: any PromptMethod, training: [TaskBatch], seed: UInt64, fingerprint: String) throws
    -> ParameterTree
  {
    let file = folder.start(seed)
    if FileManager.default.fileExists(atPath: file.path) {
      let remedy = "Delete the file; the start is then prepared anew."
      let saved = try SealedTensors.read(file, remedy: remedy)
      if saved.metadata["fingerprint"] == fingerprint {
        return try saved.tree.mapTensors { try $1.to(device: experiment.device) }
      }
    }
    var tookSteps = false
    observer.report(.phase("Preparation"))
    let start = try method.prepared(method.initialParameters(seed: seed), training: training, seed: seed) {
      tookSteps = true
      try observer.prepared($0, of: $1)
    }
    if tookSteps {
      let onHost = try start.mapTensors { try $1.to(device: .cpu) }
      try AtomicFile.write(SealedTensors.encode(onHost, metadata: ["fingerprint": fingerprint]), to: file)
    }
    return start
  }

  /// Says once which settings cannot matter.
  private func noteSettings(learnsBySteps: Bool, seed: UInt64) {
    guard seed == experiment.seeds.first else { return }
    let training = experiment.training
    if !learnsBySteps, training != TrainingSettings() {
      observer.report(.note("\(entry.descriptor.title) takes no steps; the training settings have no effect."))
    }
    if learnsBySteps, training.warmupEpochs >= training.epochs {
      observer.report(
        .note("All epochs are warm-up at rate \(training.warmupRate); set training.warmupEpochs=0 to learn."))
    }
  }

  /// What a saved state or result must agree with to be gone on from: settings, model and drawn pictures.
  private func fingerprint(_ seed: UInt64, _ split: [TaskSplit]) throws -> String {
    let settings = try JSONDocument.data(experiment.resolved(), subject: "experiment")
    let samples = try JSONDocument.data(split.map(RecordedSplit.init), subject: "samples")
    return ContentHash.sha256(settings + samples + Data("\(bench.fingerprint) \(seed) \(Engine.version)".utf8))
  }

  private func train(
    _ trainer: Trainer, initial: ParameterTree, names: [String], seed: UInt64, fingerprint: String
  ) throws -> TrainingState {
    observer.report(.phase("Training"))
    let file = folder.state(seed)
    var state =
      try TrainingState(contentsOf: file, fingerprint: fingerprint, initial: initial)
      ?? TrainingState(initial, tasks: names.count)
    guard initial.count > 0 else { return state }
    if state.step > 0 { observer.report(.note("Seed \(seed) goes on at step \(state.step).")) }
    try trainer.train(
      &state,
      report: { progress in
        observer.report(
          .step(
            seed: seed, step: progress.step, total: progress.total,
            objectives: Dictionary(uniqueKeysWithValues: zip(names, progress.objectives)), rate: progress.rate))
      },
      save: { try AtomicFile.write($0.encoded(fingerprint: fingerprint), to: file) },
      shouldStop: observer.shouldStop)
    return state
  }

  /// The measured affinity; kept until the seed is finished.
  private func affinity(_ context: MethodContext, data: [TaskBatch], seed: UInt64, fingerprint: String) throws
    -> AffinityMatrix
  {
    let file = folder.affinity(seed)
    if let saved = try SealedDocument<AffinityMatrix>.read(file, fingerprint: fingerprint) { return saved }
    observer.report(.phase("Affinity of tasks"))
    let matrix = try TaskAffinity(experiment: experiment, entry: entry, bench: bench, observer: observer)
      .measure(context, data: data, seed: seed)
    try SealedDocument.write(matrix, fingerprint: fingerprint, to: file)
    return matrix
  }

  private func save(
    _ parameters: ParameterTree, _ classifiers: [TaskClassifier], of method: any PromptMethod, context: MethodContext,
    seed: UInt64
  ) throws {
    let manifest = SavedPrompts.Manifest(
      method: entry.descriptor.name, options: try entry.resolve(experiment.options), seed: seed,
      tasks: zip(context.tasks, classifiers).map { task, classifier in
        .init(
          name: task.name, classNames: task.classNames, templates: task.templates, initialWords: task.initialWords,
          chosen: classifier.chosen)
      }, tree: context.tree, groups: context.groups, needsMethod: method.predictsByMatrix ? nil : true,
      model: bench.fingerprint, logitScale: bench.model.logitScale,
      projectionWidth: bench.model.configuration.projectionWidth)
    try SavedPrompts(
      manifest: manifest, parameters: parameters.mapTensors { try $1.to(device: .cpu) },
      classifiers: classifiers.map { try $0.weights() }
    ).write(to: folder)
  }

  private func record(_ affinity: AffinityMatrix, for structure: TaskStructure) -> RecordedAffinity {
    RecordedAffinity(
      names: affinity.names, values: affinity.values, kind: experiment.affinity.kind(for: structure).rawValue)
  }

  private func curve(_ state: TrainingState, _ trainer: Trainer, _ names: [String]) -> LossCurve {
    LossCurve(
      steps: state.curve.indices.map { ($0 + 1) * trainer.stepsPerEpoch },
      tasks: Dictionary(
        uniqueKeysWithValues: names.enumerated().map { index, name in (name, state.curve.map { $0[index] }) }))
  }
}

extension Experiment {
  /// Whether a method that asks for `structure` wants the tasks compared.
  func measuresAffinity(for structure: TaskStructure) -> Bool {
    switch structure {
    case .none: false
    case .tree: self.affinity.tree == "affinity"
    case .groups: self.affinity.groups == .auto
    }
  }

  /// What the search for groups could not rule out; `nil` where none was searched, or the best were found.
  func groupsGap(for structure: TaskStructure, affinity: AffinityMatrix?) throws -> Double? {
    guard structure == .groups, self.affinity.groups == .auto, let affinity else { return nil }
    let found = try PartitionSearch(affinity).solve()
    return found.isExact ? nil : found.gap
  }

  /// The affinity settings that are not the defaults and decide nothing for a method that asks for `structure`.
  func idleAffinitySettings(for structure: TaskStructure) -> [String] {
    let (own, plain, measures) = (self.affinity, AffinitySettings(), measuresAffinity(for: structure))
    let kind = own.kind(for: structure)
    let learns = measures && kind != .task2vec
    let settings: [(key: String, isSet: Bool, counts: Bool)] = [
      ("tree", own.tree != plain.tree, structure == .tree),
      ("groups", own.groups != plain.groups, structure == .groups),
      ("kind", own.kind != plain.kind, measures),
      ("linkage", own.linkage != plain.linkage, measures && structure == .tree),
      ("steps", own.steps != plain.steps, learns),
      ("recordEvery", own.recordEvery != plain.recordEvery, learns),
      ("learningRate", own.learningRate != plain.learningRate, learns),
      ("lookAheadRate", own.lookAheadRate != plain.lookAheadRate, measures && kind == .lookAhead),
      ("embedding", own.embedding != plain.embedding, measures && kind == .task2vec),
    ]
    return settings.filter { $0.isSet && !$0.counts }.map { "affinity.\($0.key)" }
  }

  /// `context` with the tree or the groups that a method asks for.
  func structured(_ context: MethodContext, for structure: TaskStructure, affinity: AffinityMatrix?, seed: UInt64)
    throws -> MethodContext
  {
    var context = context
    let names = context.tasks.map(\.name)
    switch structure {
    case .none: break
    case .tree: context.tree = try tree(affinity, names: names, seed: seed)
    case .groups: context.groups = try self.affinity.groups.groups(names, affinity: affinity, seed: seed)
    }
    return context
  }

  /// The tree of tasks: from the measured affinity where there is one, else the one that the settings name.
  func tree(_ affinity: AffinityMatrix?, names: [String], seed: UInt64) throws -> TaskTree {
    if let affinity { return try TaskTree(clustering: affinity, linkage: self.affinity.linkage) }
    return switch self.affinity.tree {
    // Before anything is measured, the one prompt that all tasks share.
    case "single", "affinity": try .single(names)
    case "random": try .random(names, seed: seed)
    case "flat": try .flat(names)
    default: try TaskTree(newick: self.affinity.tree, names: names)
    }
  }
}
