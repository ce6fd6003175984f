import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanTasks
import BanyanTensor
import Foundation

/// Learns a method's parameters on cached features.
///
/// Every step takes one batch of each task; a task with fewer batches than the largest begins another pass.
struct Trainer {
  let method: any PromptMethod
  let settings: TrainingSettings
  /// The views of the training pictures, each one batch per task; an epoch uses one view.
  let views: [[TaskBatch]]
  /// Held-out pictures, one batch per task, for early stopping alone.
  let validation: [TaskBatch]
  let names: [String]
  let seed: UInt64
  /// Parameters of the method that no step changes.
  let constants: ParameterTree

  /// What is told after every step.
  struct Progress {
    let step: Int
    let total: Int
    let objectives: [Double]
    let rate: Double
  }

  /// How many steps an epoch has: the batches of the largest task.
  var stepsPerEpoch: Int {
    views[0].map { ($0.count + settings.batchSize - 1) / settings.batchSize }.max() ?? 1
  }

  var totalSteps: Int { settings.epochs * stepsPerEpoch }

  /// Trains from `state` to the end.
  ///
  /// - Parameters:
  ///   - report: Called after every step.
  ///   - save: Called when the state should be kept; by the clock, and before an interruption is thrown.
  ///   - shouldStop: Asked before every step.
  /// - Throws: A `BanyanError` of kind `interrupted` where it was stopped, of kind `failed` where a loss is not finite
  ///   or has diverged, with the task and the step.
  func train(
    _ state: inout TrainingState, report: (Progress) -> Void, save: (TrainingState) throws -> Void,
    saveInterval: TimeInterval = 5, shouldStop: () -> Bool
  ) throws {
    let parameters = try state.parameters.mapTensors { try $1.asParameter() }
    let optimizer = try Optimizer(settings.rule, parameters: parameters, rate: settings.learningRate)
    try optimizer.restore(state.optimizer)
    let schedules = try zip(views[0], names).map {
      try BatchSchedule(count: $0.count, batchSize: settings.batchSize, seed: seed, label: $1)
    }
    func capture() throws {
      state.parameters = try parameters.snapshot()
      state.optimizer = try optimizer.state()
    }
    let descent = DescentStep(method: method, settings: settings, constants: constants, seed: seed)
    var sinceSave = ElapsedTime()
    let perEpoch = stepsPerEpoch
    var batches: (epoch: Int, rows: [[[Int]]]) = (-1, [])
    while state.step < totalSteps && !state.isStopped {
      if shouldStop() {
        try capture()
        try save(state)
        throw BanyanError(.interrupted, at: "training", "stopped at step \(state.step) of \(totalSteps)")
      }
      let (epoch, inner) = (state.step / perEpoch, state.step % perEpoch)
      if batches.epoch != epoch { batches = (epoch, schedules.map { $0.batches(epoch: epoch, steps: perEpoch) }) }
      let view = views[epoch % views.count]
      let inputs = try zip(view, batches.rows).map { try $0.rows($1[inner]) }
      let outcome = try descent.outcome(parameters, inputs, number: state.step)
      try check(outcome.objectives, state: state)
      let rate = settings.rate(step: state.step, stepsPerEpoch: perEpoch)
      try optimizer.step(outcome.gradients, rate: rate)
      state.step += 1
      for (task, objective) in outcome.objectives.enumerated() { state.epochSums[task] += objective }
      report(Progress(step: state.step, total: totalSteps, objectives: outcome.objectives, rate: rate))
      if state.step % perEpoch == 0 { try endEpoch(&state, parameters) }
      if sinceSave.seconds >= saveInterval {
        try capture()
        try save(state)
        sinceSave = ElapsedTime()
      }
    }
    try capture()
    // The last step has no later loss that would show what it has done.
    for (path, tensor) in zip(state.parameters.paths, state.parameters.tensors)
    where try !tensor.doubles().allSatisfy(\.isFinite) {
      throw diverged(task: names.joined(separator: ", "), step: state.step, "\(path) is not finite after the last step")
    }
    if let best = state.best { state.parameters = best }
  }

  /// Notes the epoch's mean objectives and, where early stopping is on, looks at the validation pictures.
  private func endEpoch(_ state: inout TrainingState, _ parameters: ParameterTree) throws {
    state.curve.append(state.epochSums.map { $0 / Double(stepsPerEpoch) })
    state.epochSums = state.epochSums.map { _ in 0 }
    guard let patience = settings.earlyStopping else { return }
    let all = parameters.merging(constants)
    let classifiers = try method.classifiers(all)
    let evaluator = Evaluator(method, all)
    let losses = try validation.map { try evaluator.loss(classifiers[$0.task], on: $0) }
    let mean = losses.reduce(0, +) / Double(max(1, losses.count))
    if mean < state.bestLoss {
      state.bestLoss = mean
      state.badEpochs = 0
      state.best = try parameters.snapshot()
    } else {
      state.badEpochs += 1
      state.isStopped = state.badEpochs >= patience
    }
  }

  /// A loss that is not finite, or has grown far beyond where it began, ends the run at once.
  private func check(_ objectives: [Double], state: TrainingState) throws {
    for (task, objective) in objectives.enumerated() {
      let taken = state.step % stepsPerEpoch
      let start = state.curve.first?[task] ?? (taken > 0 ? state.epochSums[task] / Double(taken) : objective)
      guard objective.isFinite, objective <= 100 * (1 + abs(start)) else {
        throw diverged(
          task: names[task], step: state.step + 1,
          objective.isFinite ? "the loss has diverged to \(objective) from \(start)" : "the loss is \(objective)")
      }
    }
  }

  private func diverged(task: String, step: Int, _ message: String) -> BanyanError {
    BanyanError(
      .failed, at: "task \(task), seed \(seed), step \(step)", message,
      remedy: "Lower training.learningRate (now \(settings.learningRate)) or raise training.warmupEpochs.")
  }
}
