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
    let plan = plan(tasks) { _ in true }
    let encoded = try encoder.classifiers(plan.requests, parameters)
    return try tasks.map { try plan.weights(of: $0, encoded) }
  }

  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    try Engine.withoutGradients {
      try zip(batches, weights(of: batches.map(\.task), parameters)).map { try objective($0, $1).item() }
    }
  }

  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    var objectives = [Double](repeating: 0, count: batches.count)
    var gradients = ParameterTree()
    let groups = groups(batches.map(\.task), parameters)
    for group in groups {
      let part = try part(of: group, whole: groups.count == 1, parameters, batches)
      for (index, term) in part.terms { objectives[index] += try term.item() }
      let cotangents = try Gradients.of(part.terms.map(\.term), with: part.encoded.classifiers)
      try gradients.add(
        encoder.pullBack(cotangents, from: part.encoded, parameters: parameters.filtered(part.contexts.contains)))
    }
    return StepOutcome(objectives: objectives, gradients: try gradients.filled(like: parameters))
  }

  public func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    var objectives = [Double](repeating: 0, count: batches.count)
    var gradients = [ParameterTree](repeating: ParameterTree(), count: batches.count)
    let groups = groups(batches.map(\.task), parameters)
    for group in groups {
      let part = try part(of: group, whole: groups.count == 1, parameters, batches)
      for (index, term) in part.terms {
        objectives[index] += try term.item()
        let cotangents = try Gradients.ofUsed([term], with: part.encoded.classifiers, retainingGraph: true)
        let own = part.contexts.intersection(contexts(of: batches[index].task))
        try gradients[index].add(
          encoder.pullBack(cotangents, of: own, from: part.encoded, parameters: parameters.filtered(own.contains)))
      }
    }
    return try zip(objectives, gradients).map {
      StepOutcome(objectives: [$0], gradients: try $1.filled(like: parameters))
    }
  }

  /// What a step of `tasks` takes at once.
  ///
  /// All, unless the activations go beyond the budget and the objective lets each prompt and list of names be taken alone: then
  /// no activations are given up and computed again.
  private func groups(_ tasks: [Int], _ parameters: ParameterTree) -> [Set<EncodingUnit>] {
    let all = plan(tasks) { _ in true }.requests
    let addsUp = objectiveAddsUp || tasks.allSatisfy { contexts(of: $0).count == 1 }
    guard addsUp else {
      return [Set(all.flatMap { request in request.contexts.map { .init(context: $0, classSet: request.classSet) } })]
    }
    return encoder.groups(of: all, parameters)
  }

  /// The part of a step's objectives that a group of prompts and lists of names has, on classifiers that gradients can be pulled
  /// back from.
  private func part(
    of group: Set<EncodingUnit>, whole: Bool, _ parameters: ParameterTree, _ batches: [TaskBatch]
  ) throws -> (encoded: PromptEncoder.Encoded, terms: [(index: Int, term: Tensor)], contexts: Set<String>) {
    let own = batches.indices.filter { index in units(of: batches[index].task).contains(where: group.contains) }
    let plan = plan(own.map { batches[$0].task }, where: group.contains)
    let encoded = try encoder.encode(plan.requests, parameters, whole: whole)
    let terms = try Engine.withGradients {
      try own.map {
        (index: $0, term: try objective(batches[$0], plan.weights(of: batches[$0].task, encoded.classifiers)))
      }
    }
    return (encoded, terms, Set(group.map(\.context)))
  }

  private func units(of task: Int) -> [EncodingUnit] {
    contexts(of: task).map { EncodingUnit(context: $0, classSet: encoder.vocabulary.classSet[task]) }
  }

  private func plan(_ tasks: [Int], where isIncluded: (EncodingUnit) -> Bool) -> PromptPlan {
    PromptPlan(tasks, vocabulary: encoder.vocabulary) { units(of: $0).filter(isIncluded).map(\.context) }
  }
}
