import BanyanFoundation
import BanyanTensor

/// A method that learns contexts of the text tower alone: its losses are functions of classifiers and cached features.
///
/// A conforming type says which classifiers it needs and what the objective on them is; gradients, chunking and the pull
/// back of several tasks' gradients from one forward pass are the same for all.
protocol TextPromptMethod: PromptMethod {
  var encoder: PromptEncoder { get }
  var logitScale: Double { get }
  /// The classifiers that the objectives of `tasks` need.
  func requests(for tasks: [Int]) -> [EncodingRequest]
  /// The objective of each batch on the classifiers of ``requests(for:)``, as scalars with a graph.
  func losses(_ classifiers: [Tensor], for batches: [TaskBatch]) throws -> [Tensor]
}

extension TextPromptMethod {
  /// `exp(logit_scale) · x wᵀ` for unit features [rows, projection] and weights [classes, projection].
  func logits(_ features: Tensor, _ weights: Tensor) throws -> Tensor {
    try features.matmul(weights.transposed()) * logitScale
  }

  /// The mean cross-entropy of a batch under `weights`.
  func crossEntropy(_ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    try logits(batch.features, weights).crossEntropy(batch.labels)
  }

  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    try Engine.withoutGradients {
      let classifiers = try encoder.classifiers(requests(for: batches.map(\.task)), parameters)
      return try losses(classifiers, for: batches).map { try $0.item() }
    }
  }

  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    let encoded = try encoder.encode(requests(for: batches.map(\.task)), parameters)
    let terms = try Engine.withGradients { try losses(encoded.classifiers, for: batches) }
    let cotangents = try Gradients.of(terms, with: encoded.classifiers)
    return StepOutcome(
      objectives: try terms.map { try $0.item() },
      gradients: try encoder.pullBack(cotangents, from: encoded, parameters: parameters))
  }

  public func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    let encoded = try encoder.encode(requests(for: batches.map(\.task)), parameters)
    let terms = try Engine.withGradients { try losses(encoded.classifiers, for: batches) }
    return try terms.map { loss in
      let cotangents = try Gradients.of([loss], with: encoded.classifiers, retainingGraph: true)
      return StepOutcome(
        objectives: [try loss.item()],
        gradients: try encoder.pullBack(cotangents, from: encoded, parameters: parameters))
    }
  }
}
