public import BanyanPrompts
public import BanyanTensor

extension Optimizer.Rule {
  /// The rule of the prompt goldens called `name`, `sgd` or `adamw`.
  public static func golden(_ name: String) -> Optimizer.Rule {
    name == "sgd"
      ? .sgd(momentum: 0.9, weightDecay: 5e-4, nesterov: false)
      : .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-2)
  }
}

/// Takes `steps` steps on the same batches, as the goldens do.
///
/// - Returns: The objectives before each step, [steps][batches], and the parameters after the last.
public func descend(
  _ method: any PromptMethod, from start: ParameterTree, batches: [TaskBatch],
  rule: Optimizer.Rule = .golden("sgd"), rate: Double = 0.02, steps: Int
) throws -> (objectives: [[Double]], parameters: ParameterTree) {
  let (trainable, constants) = try method.selection.split(start)
  let parameters = try trainable.mapTensors { try $1.asParameter() }
  let optimizer = try Optimizer(rule, parameters: parameters, rate: rate)
  var objectives: [[Double]] = []
  for _ in 0..<steps {
    let outcome = try method.step(parameters.merging(constants), batches)
    objectives.append(outcome.objectives)
    try optimizer.step(outcome.gradients, rate: rate)
  }
  return (objectives, try parameters.snapshot().merging(constants))
}
