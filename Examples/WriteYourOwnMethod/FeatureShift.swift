import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor

/// Learns one vector a task that is added to its pictures' features: `x' = normalise(x + b_t)`, logits `exp(s) · x' wᵀ`.
struct FeatureShift: PromptMethod {
  struct Configuration: Codable, Sendable, Equatable { var deviation = 0.0 }

  static let descriptor = MethodDescriptor(
    name: "feature-shift", title: "Feature shift", summary: "One learned vector a task, added to its features.",
    paper: "an example of Banyan's", options: [.init("deviation", "Standard deviation of the random start.")])
  static let defaults = Configuration()

  let deviation: Double
  let context: MethodContext
  let weights: [Tensor]  // by task, [classes, projection]

  init(_ configuration: Configuration, context: MethodContext) throws {
    (deviation, self.context) = (configuration.deviation, context)
    let words = try MethodCatalog.entry("zero-shot").make(.object([:]), context)
    weights = try words.classifiers(ParameterTree()).map { try $0.weights() }
  }

  var logitScale: Double { context.model.logitScale }
  var predictsByMatrix: Bool { false }

  func initialParameters(seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    for (index, task) in context.tasks.enumerated() {
      var generator = SeededGenerator(seed: seed, label: "shift of \(task.name)")
      let width = context.model.configuration.projectionWidth
      tree["tasks.\(index).shift"] = try .normal([width], deviation: deviation, generator: &generator)
    }
    return tree
  }

  func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    let shifted = try (batch.features + parameters.require("tasks.\(batch.task).shift")).normalized()
    return try shifted.matmul(weights.transposed()) * logitScale
  }

  func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    try batches.map { batch in
      let loss = try Engine.withGradients {
        try logits(parameters, batch, weights[batch.task]).crossEntropy(batch.labels)
      }
      let gradients = try Gradients.of([loss], with: parameters.tensors)
      let tree = ParameterTree(Dictionary(uniqueKeysWithValues: zip(parameters.paths, gradients)))
      return StepOutcome(objectives: [try loss.item()], gradients: tree)
    }
  }

  func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] { weights.map { TaskClassifier($0) } }
}
