import BanyanFoundation
package import BanyanPrompts
import BanyanTasks
package import BanyanTensor

/// The direction of one step: what the optimizer is given.
///
/// Without ``TrainingSettings/sharpness`` and with ``GradientAggregation/sum`` it is `PromptMethod.step`, in one pass. Else it
/// is made from the tasks' gradients. With sharpness-aware steps each task has its own perturbation `ε`, over all
/// parameters that serve it,
///
///     ε_t = ρ g_t / ‖g_t‖,   g_t ← ∇L_t(θ + ε_t)
///
/// and gradients are aggregated for each set of parameters that the same tasks share. Papers: Foret et al.,
/// *Sharpness-aware Minimization for Efficiently Improving Generalization*, ICLR 2021; Phan et al., *Improving Multi-task
/// Learning via Seeking Task-based Flat Regions*, arXiv:2211.13723, for the perturbation of each task.
package struct DescentStep {
  private let method: any PromptMethod
  private let settings: TrainingSettings
  private let constants: ParameterTree
  private let seed: UInt64

  /// - Parameters:
  ///   - constants: Parameters of the method that no step changes.
  ///   - seed: Draws what a rule draws.
  package init(method: any PromptMethod, settings: TrainingSettings, constants: ParameterTree, seed: UInt64) {
    self.method = method
    self.settings = settings
    self.constants = constants
    self.seed = seed
  }

  /// The objectives at `parameters`, and the direction of step `number`.
  package func outcome(_ parameters: ParameterTree, _ batches: [TaskBatch], number: Int) throws -> StepOutcome {
    let all = parameters.merging(constants)
    if settings.sharpness == nil, settings.aggregate == .sum { return try method.step(all, batches) }
    let plain = try method.taskGradients(all, batches)
    let gradients = try zip(batches, plain).map { batch, outcome in
      guard let radius = settings.sharpness else { return outcome.gradients }
      let moved = try perturbed(parameters, along: outcome.gradients, by: radius)
      return try method.step(moved.merging(constants), [batch]).gradients
    }
    return StepOutcome(
      objectives: plain.flatMap(\.objectives),
      gradients: try aggregated(gradients, of: batches.map(\.task), number: number))
  }

  private func perturbed(_ parameters: ParameterTree, along gradients: ParameterTree, by radius: Double) throws
    -> ParameterTree
  {
    // Of what is trained: other parameters may have gradients too, and are not moved.
    let length = try parameters.paths.reduce(0.0) {
      let gradient = try gradients.require($1)
      return try $0 + (gradient * gradient).sum().item()
    }.squareRoot()
    guard length > 0 else { return parameters }
    return try parameters.mapTensors { path, tensor in
      try (tensor.detached() + gradients.require(path) * (radius / length)).asParameter()
    }
  }

  private func aggregated(_ gradients: [ParameterTree], of tasks: [Int], number: Int) throws -> ParameterTree {
    guard let first = gradients.first else { return ParameterTree() }
    let sets = Dictionary(grouping: first.paths) { path in
      tasks.indices.filter { method.serves(tasks[$0], path: path) }
    }
    var sum = ParameterTree()
    for (sharing, paths) in sets.sorted(by: { $0.value[0] < $1.value[0] }) {
      let stacks = try paths.map { path in
        let rows = try sharing.map { try gradients[$0].require(path).reshaped([first.require(path).count]) }
        return rows.isEmpty ? nil : try Tensor.stacked(rows)  // [tasks, numbers]
      }
      let weights = try weights(stacks.compactMap(\.self), count: sharing.count, label: "\(number) \(paths[0])")
      for (path, stack) in zip(paths, stacks) {
        let start = try first.require(path)
        sum[path] =
          try stack.map { stack in
            try Tensor(weights, shape: [1, weights.count], device: stack.device).to(stack.dtype)
              .matmul(stack).reshaped(start.shape)
          } ?? .zeros(start.shape, dtype: start.dtype, device: start.device)
      }
    }
    return sum
  }

  private func weights(_ stacks: [Tensor], count: Int, label: String) throws -> [Double] {
    // A sum needs no products, and what one task owns is its own gradient.
    guard settings.aggregate != .sum, count > 1 else { return [Double](repeating: 1, count: count) }
    var products = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    for stack in stacks {
      let rows = try stack.to(.float64)
      let values = try rows.matmul(rows.transposed()).doubles()
      for i in 0..<count { for j in 0..<count { products[i][j] += values[i * count + j] } }
    }
    var generator = SeededGenerator(seed: seed, label: "order of tasks at step \(label)")
    return settings.aggregate.weights(products, radius: settings.conflictRadius, generator: &generator)
  }
}
