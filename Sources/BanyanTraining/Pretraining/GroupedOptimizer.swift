import BanyanFoundation
import BanyanTensor

/// AdamW in two groups: matrices decay, everything else does not.
///
/// Norms, biases, positions, the class token and the logit scale are not pulled to zero, which is no neutral value of
/// theirs.
struct GroupedOptimizer {
  private let decayed: (tree: ParameterTree, optimizer: Optimizer)
  private let plain: (tree: ParameterTree, optimizer: Optimizer)

  /// An optimizer of `parameters`, leaves that require gradients.
  init(_ settings: PretrainingSettings.Contrastive, parameters: ParameterTree) throws {
    let (matrices, rest) = try ParameterSelection([
      .init("**.positionEmbedding.weight", .frozen), .init("**", .trainable),
    ]).split(parameters)
    var decayed = ParameterTree()
    var plain = rest
    for path in matrices.paths {
      guard let tensor = matrices[path] else { continue }
      if tensor.rank >= 2 { decayed[path] = tensor } else { plain[path] = tensor }
    }
    func make(_ tree: ParameterTree, _ decay: Double) throws -> (ParameterTree, Optimizer) {
      let rule = Optimizer.Rule.adamW(
        beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon, weightDecay: decay)
      return (tree, try Optimizer(rule, parameters: tree, rate: settings.learningRate))
    }
    self.decayed = try make(decayed, settings.weightDecay)
    self.plain = try make(plain, 0)
  }

  /// Takes one step of size `rate` against `gradients`.
  func step(_ gradients: ParameterTree, rate: Double) throws {
    try decayed.optimizer.step(gradients, rate: rate)
    try plain.optimizer.step(gradients, rate: rate)
  }

  /// The moments of both groups.
  func state() throws -> ParameterTree { try decayed.optimizer.state().merging(plain.optimizer.state()) }

  /// Takes over what ``state()`` gave.
  func restore(_ state: ParameterTree) throws {
    for (tree, optimizer) in [decayed, plain] {
      var own = ParameterTree()
      for path in tree.paths {
        for part in ["first", "second", "steps"] { own["\(path).\(part)"] = state["\(path).\(part)"] }
      }
      try optimizer.restore(own)
    }
  }
}
