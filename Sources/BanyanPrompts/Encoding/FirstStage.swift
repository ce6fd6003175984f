import BanyanFoundation
import BanyanTasks
import BanyanTensor
import Foundation

/// Steps that one model for all tasks takes before each task goes on alone.
///
/// SGD with momentum 0.9 and weight decay 5e-4 on the sum of the tasks' losses, a batch of each task at a step; the rate
/// falls as `½ (1 + cos πx)` over the share `x` of the steps.
public struct FirstStage: Codable, Sendable, Equatable {
  /// How many steps; 0 for none.
  public var steps = 100
  /// The rate of the first step.
  public var rate = 0.002
  /// Pictures per task and step.
  public var batchSize = 32

  /// The defaults: 100 steps as CoOp takes them.
  public init() {}

  /// What every method with such a stage offers.
  static let options: [MethodDescriptor.Option] = [
    .init("source.steps", "Steps of the shared prompt before each task goes on alone; 0 for none."),
    .init("source.rate", "Learning rate of the first of these steps; it falls along a cosine."),
    .init("source.batchSize", "Pictures per task in each of these steps."),
  ]

  /// Refuses numbers outside of what makes sense.
  func validate() throws {
    guard (0...1_000_000).contains(steps) else {
      throw BanyanError(.usage, at: "source.steps", "expected 0 to 1000000, found \(steps)")
    }
    guard rate > 0, rate <= 1e6 else {
      throw BanyanError(.usage, at: "source.rate", "expected a positive number up to 1000000, found \(rate)")
    }
    guard batchSize >= 1 else {
      throw BanyanError(.usage, at: "source.batchSize", "expected at least 1, found \(batchSize)")
    }
  }

  /// The parameters after the steps.
  ///
  /// - Parameters:
  ///   - method: One model for all tasks.
  ///   - names: The tasks' names, by index; a task's batches are drawn by its name.
  ///   - report: Called before every step with the steps done and the steps in all; its errors end the stage.
  func trained(
    _ method: some PromptMethod, from start: ParameterTree, names: [String], training: [TaskBatch], seed: UInt64,
    report: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> ParameterTree {
    let (trainable, constants) = try method.selection.split(start)
    let parameters = try trainable.mapTensors { try $1.asParameter() }
    let optimizer = try Optimizer(
      .sgd(momentum: 0.9, weightDecay: 5e-4, nesterov: false), parameters: parameters, rate: rate)
    let schedules = try training.map { batch in
      try BatchSchedule(
        count: batch.count, batchSize: batchSize, seed: seed, label: "first stage of \(names[batch.task])"
      ).batches(epoch: 0, steps: steps)
    }
    for step in 0..<steps {
      try report(step, steps)
      let drawn = try zip(training, schedules).map { try $0.rows($1[step]) }
      let gradients = try method.step(parameters.merging(constants), drawn).gradients
      try optimizer.step(gradients, rate: rate * (1 + cos(.pi * Double(step) / Double(steps))) / 2)
    }
    return try parameters.snapshot().merging(constants)
  }
}
