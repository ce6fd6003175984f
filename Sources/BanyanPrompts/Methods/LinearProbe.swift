import BanyanCLIP
public import BanyanFoundation
public import BanyanTensor

/// Learns a linear classifier on the pictures' features; the class names play no part.
///
/// ``CLIPAdapter`` keeps the text's weights; here the head `W` and the bias `b` start from zero:
///
///     logits = x Wᵀ + b                                 // [rows, classes]; W [classes, D], b [classes]
///     L_t    = mean cross-entropy + λ/(2n) ‖W‖²
///
/// There is no `exp(s)` before the logits: the head finds its own scale, and `λ` speaks of it. By default the minimum of
/// this convex problem is found to convergence when the training pictures are all at hand, without a step of the trainer.
/// Paper: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, arXiv:2103.00020,
/// section 3.2 and appendix A.3; unlike there, features have length one. Adds `classes · (D + 1)` parameters a task;
/// touches no backbone path.
public struct LinearProbe: TowerMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// How the head is found.
    public var solver = Solver.lbfgs
    /// `λ` of ``Solver/lbfgs``; `null` to choose it on validation pictures, where there are any.
    @Nullable public var strength: Double?
  }

  /// How the head is found.
  public enum Solver: String, NamedChoice {
    /// By L-BFGS to convergence, in double precision.
    case lbfgs
    /// By the trainer's steps, where its weight decay takes the place of `λ`.
    case steps
  }

  public static let descriptor = MethodDescriptor(
    name: "linear-probe", title: "Linear probe",
    summary: "A linear classifier on the frozen image features, without the class names.",
    paper: "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021",
    options: [
      .init("solver", "How the head is found: lbfgs (to convergence) or steps (by the trainer's optimizer)."),
      .init(
        "strength",
        "L2 regularisation of lbfgs (1/C elsewhere); null chooses it on validation pictures, and is 1 without any."),
    ])
  public static let defaults = Configuration()
  /// The strength where there is nothing to choose it on: `C = 1`, the default elsewhere.
  private static let plainStrength = 1.0

  let context: MethodContext
  private let configuration: Configuration

  public init(_ configuration: Configuration, context: MethodContext) throws {
    if let strength = configuration.strength {
      guard strength > 0, strength.isFinite else {
        throw BanyanError(.usage, at: "strength", "expected a positive number or null, found \(strength)")
      }
      guard configuration.solver == .lbfgs else {
        throw BanyanError(
          .usage, at: "strength", "expected null beside the solver steps, found \(strength)",
          remedy: "Set the optimizer's weight decay instead, or solver=lbfgs.")
      }
    }
    self.configuration = configuration
    self.context = context
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    let (width, device) = (context.model.configuration.projectionWidth, context.model.device)
    for (index, task) in context.tasks.enumerated() {
      tree[head(index)] = try .zeros([task.classNames.count, width], device: device)
      tree[bias(index)] = try .zeros([task.classNames.count], device: device)
    }
    return tree
  }

  public var selection: ParameterSelection {
    ParameterSelection([
      .init("clip.**", .frozen), .init("**", configuration.solver == .steps ? .trainable : .frozen),
    ])
  }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor { try parameters.require(head(task)) }

  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor { batch.features }

  public func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    try batch.features.linear(weights, parameters.require(bias(batch.task)))
  }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    try context.tasks.indices.map { TaskClassifier(try parameters.require(head($0)).detached()) }
  }

  public func finished(
    _ parameters: ParameterTree, training: [TaskBatch], validation: [TaskBatch], seed: UInt64
  ) throws -> ParameterTree {
    guard configuration.solver == .lbfgs else { return parameters }
    var parameters = parameters
    for batch in training {
      let problem = try LogisticRegression(batch, classes: context.tasks[batch.task].classNames.count)
      var strength = configuration.strength
      if strength == nil, let held = validation.first(where: { $0.task == batch.task }), held.count > 0 {
        strength = try problem.chosen(on: held)
      }
      let (head, bias) = try problem.tensors(problem.minimum(strength: strength ?? Self.plainStrength))
      let (dtype, device) = (batch.features.dtype, batch.features.device)
      parameters[self.head(batch.task)] = try head.to(dtype).to(device: device)
      parameters[self.bias(batch.task)] = try bias.to(dtype).to(device: device)
      parameters["tasks.\(batch.task).strength"] =
        try .full([], strength ?? Self.plainStrength, dtype: dtype, device: device)
    }
    return parameters
  }

  private func head(_ task: Int) -> String { "tasks.\(task).head" }
  private func bias(_ task: Int) -> String { "tasks.\(task).bias" }
}
