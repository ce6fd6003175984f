import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// A method that learns contexts of the text tower alone: its losses are functions of classifiers and cached features.
///
/// A conforming type says which contexts serve a task and what the objective on their classifiers is; encoding, chunking
/// and the pull back of several tasks' gradients from one forward pass are the same for all.
protocol TextPromptMethod: PromptMethod {
  var encoder: PromptEncoder { get }
  /// The paths of the contexts that serve a task.
  func contexts(of task: Int) -> [String]
  /// The objective of a batch, as a scalar with a graph.
  ///
  /// - Parameter weights: One [classes, projection] for each of ``contexts(of:)``.
  func objective(_ batch: TaskBatch, _ weights: [Tensor]) throws -> Tensor
  /// Whether the objective on several classifiers is the sum of the objectives on each of them alone.
  var objectiveAddsUp: Bool { get }
}

extension TextPromptMethod {
  var objectiveAddsUp: Bool { false }

  /// One for each context that serves the task, unless each class has its own.
  public func sentences(_ parameters: ParameterTree, of task: Int) throws -> [PromptSentence] {
    try written(contexts(of: task).map { try parameters.require($0) })
  }

  /// `contexts`, where each is one for all classes.
  func written(_ contexts: [Tensor]) throws -> [PromptSentence] {
    guard contexts.allSatisfy({ $0.rank == 2 }) else {
      throw BanyanError(.usage, at: Self.descriptor.title, "has vectors of each class's own")
    }
    return contexts.map { .vectors($0, encoder.position) }
  }

  /// The mean cross-entropy of a batch under `weights`.
  func crossEntropy(_ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    try logits(ParameterTree(), batch, weights).crossEntropy(batch.labels)
  }

  /// The classifiers of the contexts of each of `tasks`, without gradients.
  func weights(of tasks: [Int], _ parameters: ParameterTree) throws -> [[Tensor]] {
    let plan = plan(tasks)
    let encoded = try encoder.classifiers(plan.requests, parameters)
    return try tasks.map { try plan.weights(of: $0, encoded) }
  }

  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    try Engine.withoutGradients {
      try zip(batches, weights(of: batches.map(\.task), parameters)).map { try objective($0, $1).item() }
    }
  }

  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    let groups = groups(batches.map(\.task), parameters)
    var objectives = [Double](repeating: 0, count: batches.count)
    var gradients = ParameterTree()
    for group in groups {
      let own = batches.indices.filter { !group.isDisjoint(with: contexts(of: batches[$0].task)) }
      let (encoded, terms) = try terms(parameters, own.map { batches[$0] }) { group.contains($0) }
      for (index, term) in zip(own, terms) { objectives[index] += try term.item() }
      let cotangents = try Gradients.of(terms, with: encoded.classifiers)
      let trained = groups.count == 1 ? parameters : parameters.filtered { group.contains($0) }
      gradients = gradients.merging(try encoder.pullBack(cotangents, from: encoded, parameters: trained))
    }
    return StepOutcome(
      objectives: objectives,
      gradients: try parameters.mapTensors { path, tensor in
        try gradients[path] ?? .zeros(tensor.shape, dtype: tensor.dtype, device: tensor.device)
      })
  }

  /// The contexts that a step of `tasks` takes at once.
  ///
  /// All of them, unless their activations go beyond the budget and the objective lets each be taken alone: then no
  /// activations are given up and computed again.
  private func groups(_ tasks: [Int], _ parameters: ParameterTree) -> [Set<String>] {
    let all = plan(tasks).requests
    let addsUp = objectiveAddsUp || tasks.allSatisfy { contexts(of: $0).count == 1 }
    return addsUp ? encoder.groups(of: all, parameters) : [Set(all.flatMap(\.contexts))]
  }

  public func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    let (encoded, terms) = try terms(parameters, batches)
    return try zip(batches, terms).map { batch, term in
      let cotangents = try Gradients.ofUsed([term], with: encoded.classifiers, retainingGraph: true)
      return StepOutcome(
        objectives: [try term.item()],
        gradients: try encoder.pullBack(
          cotangents, of: Set(contexts(of: batch.task)), from: encoded, parameters: parameters))
    }
  }

  /// The objective of each batch on classifiers that gradients can be pulled back from.
  private func terms(
    _ parameters: ParameterTree, _ batches: [TaskBatch], where isIncluded: (String) -> Bool = { _ in true }
  ) throws -> (PromptEncoder.Encoded, [Tensor]) {
    let plan = plan(batches.map(\.task), where: isIncluded)
    let encoded = try encoder.encode(plan.requests, parameters)
    let terms = try Engine.withGradients {
      try batches.map { try objective($0, plan.weights(of: $0.task, encoded.classifiers)) }
    }
    return (encoded, terms)
  }

  private func plan(_ tasks: [Int], where isIncluded: (String) -> Bool = { _ in true }) -> PromptPlan {
    PromptPlan(tasks, vocabulary: encoder.vocabulary) { contexts(of: $0).filter(isIncluded) }
  }
}
