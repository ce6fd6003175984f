import BanyanCLIP
public import BanyanFoundation
import BanyanStructure
public import BanyanTensor

/// Learns a prompt at every node of a tree of tasks.
///
/// ``CoOp`` learns one per task and ``CoOpMT`` one for all; here leaves learn for one task each and internal nodes for the
/// tasks below them, so that a task is served by all nodes on its path from the root:
///
///     w_n(t)    = normalise( text(context_n, names_t) )                 // [classes, projection]
///     w_ind(t)  = w of the leaf;  w_shr(t) = mean over the internal nodes of the path
///     w_avg(t)  = normalise( mean over all nodes of the path )
///     per-node: L = Σ_t Σ_{n ∈ path(t)} CE(w_n(t));   combined: L = Σ_t CE(w_avg(t))
///
/// Paper: Liu et al., *Hierarchical Prompt Learning for Multi-Task Learning*, CVPR 2023, pp. 10888-10898. The objective
/// and the weights of the mean are our reading where the paper is silent. A tree of one leaf is ``CoOp``, a tree of one
/// node that serves all tasks is ``CoOpMT``. Adds `(2T − 1) · M · width` parameters; touches no backbone path.
public struct HiPro: TextPromptMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// The free vectors of every node.
    public var context = ContextSettings()
    /// What is minimised.
    public var objective = Objective.perNode
    /// Which classifier predicts.
    public var combine = Combination.average
  }

  /// What is minimised.
  public enum Objective: String, NamedChoice {
    /// Every node on a task's path has its own cross-entropy.
    case perNode = "per-node"
    /// One cross-entropy a task, of the averaged classifier.
    case combined
    /// The sum of the two.
    case both
  }

  /// Which classifier predicts.
  public enum Combination: String, NamedChoice {
    /// `w_ind`, the leaf's.
    case individual
    /// `w_shr`, the mean over the internal nodes of the path.
    case shared
    /// `w_avg`, the mean over all nodes of the path.
    case average
    /// One softmax weight per node of the path, fitted on validation pictures.
    case learned
  }

  public static let descriptor = MethodDescriptor(
    name: "hipro", title: "HiPro",
    summary: "A learned context at every node of a tree of tasks; a task is served by the nodes on its path.",
    paper: "Liu et al., Hierarchical Prompt Learning for Multi-Task Learning, CVPR 2023",
    options: ContextSettings.options + [
      .init(
        "objective", "per-node: every node's own loss; combined: the loss of the averaged classifier; both: their sum."),
      .init("combine", "Which classifier predicts: individual, shared, average, or learned (fitted on validation)."),
    ])
  public static let defaults = Configuration()
  public static func structure(_ configuration: Configuration) -> TaskStructure { .tree }

  let encoder: PromptEncoder
  public let logitScale: Double
  private let configuration: Configuration
  private let context: MethodContext
  private let tree: TaskTree

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    self.context = context
    tree = try context.requireTree()
    encoder = try PromptEncoder(context, position: configuration.context.position)
    logitScale = context.model.logitScale
    for node in tree.nodes {
      let sets = Set(node.tasks.map { encoder.vocabulary.classSet[$0] })
      try configuration.context.check(classSets: sets.count, prompt: "node \(node.index)")
    }
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    var parameters = ParameterTree()
    for node in tree.nodes {
      let tasks = node.tasks.map { context.tasks[$0] }
      let classes = configuration.context.classSpecific ? tasks.first?.classNames.count : nil
      parameters[path(node.index)] =
        try configuration.context.start(for: tasks, classes: classes, context: context, seed: seed)
    }
    return parameters
  }

  /// The nodes of the task's path, root first.
  func contexts(of task: Int) -> [String] { tree.path(to: task).map(path) }

  func objective(_ batch: TaskBatch, _ weights: [Tensor]) throws -> Tensor {
    // With one node the two objectives are the same one, and are not counted twice.
    guard weights.count > 1 else { return try crossEntropy(batch, weights[0]) }
    let perNode = try configuration.objective == .combined ? [] : weights.map { try crossEntropy(batch, $0) }
    let combined = try configuration.objective == .perNode ? [] : [crossEntropy(batch, Self.mean(weights))]
    let terms = perNode + combined
    return try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
  }

  var objectiveAddsUp: Bool { configuration.objective == .perNode }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    let weights = try weights(of: Array(context.tasks.indices), parameters)
    return try Engine.withoutGradients {
      try weights.enumerated().map { task, nodes in
        let owned = nodes[nodes.count - 1]
        let internals = nodes.count > 1 ? Array(nodes.dropLast()) : nodes
        var combinations = [
          "individual": owned, "shared": try Self.mean(internals), "average": try Self.mean(nodes),
        ]
        if let scores = parameters[combinationPath(task)] {
          combinations["learned"] = try Self.mix(nodes, scores)
        }
        // Before `finished` has fitted them, learned weights are those of the mean.
        let chosen = configuration.combine.rawValue
        var classifier = try TaskClassifier(combinations, chosen: combinations[chosen] == nil ? "average" : chosen)
        for (node, weights) in zip(tree.path(to: task), nodes) { classifier.parts["node \(node)"] = weights }
        return classifier
      }
    }
  }

  public func finished(
    _ parameters: ParameterTree, training: [TaskBatch], validation: [TaskBatch], seed: UInt64
  ) throws -> ParameterTree {
    guard configuration.combine == .learned else { return parameters }
    var parameters = parameters
    let weights = try weights(of: Array(context.tasks.indices), parameters)
    for (task, nodes) in weights.enumerated() {
      guard let batch = validation.first(where: { $0.task == task }), batch.count > 0 else {
        throw BanyanError(
          .usage, at: "options.combine",
          "learned weights are fitted on validation pictures, task "
            + "\(context.tasks[task].name) has none", remedy: "Set validationShots to 1 or more.")
      }
      parameters[combinationPath(task)] = try fit(nodes, batch)
    }
    return parameters
  }

  /// Those of the nodes whose mean predicts; nodes that are weighed have none.
  public func sentences(_ parameters: ParameterTree, of task: Int) throws -> [PromptSentence] {
    let path = contexts(of: task)
    let nodes: [String]
    switch configuration.combine {
    case .individual: nodes = path.suffix(1)
    case .shared: nodes = path.count > 1 ? path.dropLast() : path
    case .average: nodes = path
    case .learned: throw BanyanError(.usage, at: Self.descriptor.title, "weighs its nodes, as no mean of texts does")
    }
    return try written(nodes.map { try parameters.require($0) })
  }

  public var needsValidation: Bool { configuration.combine == .learned }

  public var selection: ParameterSelection {
    ParameterSelection([.init("clip.**", .frozen), .init("nodes.*.context", .trainable)])
  }

  /// A node's context serves the tasks below it.
  public func serves(_ task: Int, path: String) -> Bool { contexts(of: task).contains(path) }

  private func path(_ node: Int) -> String { "nodes.\(node).context" }
  private func combinationPath(_ task: Int) -> String { "tasks.\(task).combination" }
}

extension HiPro {
  /// `normalise(mean)`; the classifier itself where there is one.
  fileprivate static func mean(_ weights: [Tensor]) throws -> Tensor {
    weights.count == 1 ? weights[0] : try Tensor.stacked(weights).mean([0]).normalized()
  }

  /// `normalise(Σ softmax(scores)ₙ wₙ)`.
  fileprivate static func mix(_ weights: [Tensor], _ scores: Tensor) throws -> Tensor {
    let shares = try scores.softmax().reshaped([weights.count, 1, 1])
    return try (Tensor.stacked(weights) * shares).sum([0]).normalized()
  }

  /// One score per node of the path, minimising the cross-entropy on held-out pictures.
  fileprivate func fit(_ weights: [Tensor], _ batch: TaskBatch) throws -> Tensor {
    let scores = try Tensor.zeros([weights.count], device: batch.features.device).asParameter()
    let tree = ParameterTree(["scores": scores])
    let rule = Optimizer.Rule.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    let optimizer = try Optimizer(rule, parameters: tree, rate: 0.05)
    for _ in 0..<200 {
      let loss = try Engine.withGradients { try crossEntropy(batch, Self.mix(weights, scores)) }
      let gradient = try Gradients.of([loss], with: [scores])[0]
      try optimizer.step(ParameterTree(["scores": gradient]), rate: 0.05)
    }
    return try scores.detached().clone()
  }
}
