import BanyanCLIP
public import BanyanTensor

/// Asks the pre-trained model with sentences written by hand; learns nothing.
///
/// The baseline of all others. A class's weight is the mean of its sentences' unit features, made unit again:
///
///     w_c = normalise( 1/K · Σₖ normalise( text(templateₖ(c)) ) )        // [classes, projection]
///
/// Paper: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, arXiv:2103.00020,
/// section 3.1. A task's own templates win over the configured ones.
public struct ZeroShot: PromptMethod {
  /// What may be set.
  public typealias Configuration = SentenceSettings

  public static let descriptor = MethodDescriptor(
    name: "zero-shot", title: "zero-shot",
    summary: "The pre-trained model with hand-written sentences; nothing is learned.",
    paper: "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021",
    options: SentenceSettings.options)
  public static let defaults = Configuration()

  private let context: MethodContext
  private let encoder: TemplateEncoder

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.context = context
    encoder = try TemplateEncoder(configuration.templates, context: context)
  }

  public var logitScale: Double { context.model.logitScale }

  public func initialParameters(seed: UInt64) throws -> ParameterTree { ParameterTree() }

  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    let classifiers = try classifiers(parameters)
    return try Engine.withoutGradients {
      try batches.map { batch in
        try logits(parameters, batch, classifiers[batch.task].weights()).crossEntropy(batch.labels).item()
      }
    }
  }

  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    StepOutcome(objectives: try objectives(parameters, batches), gradients: ParameterTree())
  }

  public func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    try objectives(parameters, batches).map { StepOutcome(objectives: [$0], gradients: ParameterTree()) }
  }

  public func sentences(_ parameters: ParameterTree, of task: Int) throws -> [PromptSentence] {
    encoder.templates(task: task).map { .words($0) }
  }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    try Engine.withoutGradients {
      try context.tasks.indices.map { TaskClassifier(try encoder.weights(task: $0, tower: context.model.text)) }
    }
  }
}
