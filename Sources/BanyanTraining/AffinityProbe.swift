import BanyanFoundation
public import BanyanPrompts
public import BanyanStructure
import BanyanTasks
package import BanyanTensor
import Foundation

/// Measures how alike tasks are to the gradients of a prompt that all of them share.
///
/// The shared prompt is warmed up on the sum of the task losses; at recorded steps every task's gradient `gᵢ` is taken on
/// its own batch, all from one forward pass, and compared pair by pair. The result is the mean over recorded steps.
///
/// Papers: Liu et al., CVPR 2023 (gradient directions); Xin et al., AAAI 2024, equation 8 (dot products); Fifty et al.,
/// *Efficiently Identifying Task Groupings for Multi-Task Learning*, NeurIPS 2021 (look-ahead).
public struct AffinityProbe: Sendable {
  private let settings: AffinitySettings
  private let kind: AffinitySettings.Kind
  private let training: TrainingSettings

  /// A probe that warms up with the optimizer of `training` at a constant rate.
  ///
  /// - Parameters:
  ///   - settings: Which gradients are compared, and how long the warm-up is; embeddings are ``Task2Vec``'s to make.
  ///   - training: The optimizer and the batch size of the warm-up.
  ///   - structure: What is to be built of the affinities; decides what is measured where `settings` do not.
  public init(_ settings: AffinitySettings, training: TrainingSettings, structure: TaskStructure = .tree) {
    self.settings = settings
    kind = settings.kind(for: structure)
    self.training = training
  }

  /// The affinity of the tasks in `data`.
  ///
  /// - Parameters:
  ///   - method: A method in which all tasks share all parameters.
  ///   - data: One set of training pictures per task.
  ///   - names: The tasks' names, in the order of `data`.
  ///   - seed: Of the starting prompt and of the batches.
  ///   - progress: Called with the steps done and the steps in all.
  ///   - shouldStop: Asked before every step.
  public func measure(
    _ method: any PromptMethod, data: [TaskBatch], names: [String], seed: UInt64,
    progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
  ) throws -> AffinityMatrix {
    guard kind != .task2vec else {
      throw BanyanError(.usage, at: "affinity.kind", "embeddings of tasks are no gradients; Task2Vec makes them")
    }
    let parameters = try method.initialParameters(seed: seed).mapTensors { try $1.asParameter() }
    let rate = settings.learningRate ?? training.learningRate
    let optimizer = try Optimizer(training.rule, parameters: parameters, rate: rate)
    let schedules = try zip(data, names).map {
      try BatchSchedule(count: $0.count, batchSize: training.batchSize, seed: seed, label: "affinity of \($1)")
    }
    var sum = [[Double]](repeating: [Double](repeating: 0, count: data.count), count: data.count)
    var recorded = 0.0
    for step in 0..<settings.steps {
      if shouldStop() { throw BanyanError(.interrupted, at: "affinity", "stopped at step \(step)") }
      let batches = try zip(data, schedules).map { try $0.rows($1.indices(epoch: 0, step: step)) }
      let outcomes = try method.taskGradients(parameters, batches)
      if step % settings.recordEvery == 0 {
        let values = try compare(outcomes, method: method, parameters: parameters, batches: batches)
        for i in data.indices { for j in data.indices { sum[i][j] += values[i][j] } }
        recorded += 1
      }
      let gradients = outcomes.map(\.gradients)
      let total = try parameters.mapTensors { path, _ in
        let parts = try gradients.map { try $0.require(path) }
        return try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
      }
      try optimizer.step(total, rate: rate)
      progress(step + 1, settings.steps)
    }
    return try AffinityMatrix.symmetrised(names: names, values: sum.map { $0.map { $0 / recorded } })
  }

  /// One measurement: a value for every ordered pair of tasks.
  package func compare(
    _ outcomes: [StepOutcome], method: any PromptMethod, parameters: ParameterTree, batches: [TaskBatch]
  ) throws -> [[Double]] {
    if kind == .lookAhead {
      return try lookAhead(outcomes, method: method, parameters: parameters, batches: batches)
    }
    let flat = try outcomes.map { outcome in try outcome.gradients.tensors.flatMap { try $0.doubles() } }
    let products = flat.map { mine in flat.map { theirs in zip(mine, theirs).reduce(0) { $0 + $1.0 * $1.1 } } }
    return switch kind {
    case .gradientDot, .lookAhead, .task2vec: products
    case .gradientCosine: Self.cosines(products)
    case .centredGradientCosine: Self.cosines(Self.centred(Self.cosines(products)))
    }
  }

  /// `Gᵢⱼ / √(Gᵢᵢ Gⱼⱼ)` for the inner products `G` of some vectors; 0 beside a vector of length 0, 1 on the diagonal.
  private static func cosines(_ products: [[Double]]) -> [[Double]] {
    let norms = products.indices.map { max(0, products[$0][$0]).squareRoot() }
    return products.indices.map { i in
      products.indices.map { j in
        if i == j { return 1 }
        let product = norms[i] * norms[j]
        return product > 0 ? products[i][j] / product : 0
      }
    }
  }

  /// The inner products after the vectors' mean is taken from each: `H G H` with `H = I − 1/T`, where what is left of unit
  /// vectors by rounding alone counts as 0.
  private static func centred(_ products: [[Double]]) -> [[Double]] {
    let means = products.map { $0.reduce(0, +) / Double(products.count) }
    let mean = means.reduce(0, +) / Double(products.count)
    return products.indices.map { i in
      products.indices.map { j in
        let value = products[i][j] - means[i] - means[j] + mean
        return abs(value) < 1e-12 ? 0 : value
      }
    }
  }

  /// `1 − Lⱼ(p − η gᵢ) / Lⱼ(p)`: how much a step for task i lowers the loss of task j.
  private func lookAhead(
    _ outcomes: [StepOutcome], method: any PromptMethod, parameters: ParameterTree, batches: [TaskBatch]
  ) throws -> [[Double]] {
    let before = try method.objectives(parameters, batches)
    return try outcomes.map { outcome in
      let moved = try Engine.withoutGradients {
        try parameters.mapTensors { path, tensor in
          try tensor.detached() + outcome.gradients.require(path).affine(scale: -settings.lookAheadRate)
        }
      }
      let after = try method.objectives(moved, batches)
      return zip(after, before).map { $1 > 0 ? 1 - $0 / $1 : 0 }
    }
  }
}
