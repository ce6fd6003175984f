import BanyanCLIP
import BanyanFoundation
public import BanyanTensor
import Foundation

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
  public struct Configuration: Codable, Sendable, Equatable {
    /// Sentences with `{}` for the class name.
    public var templates: [String] = ["a photo of a {}."]
  }

  public static let descriptor = MethodDescriptor(
    name: "zero-shot", title: "zero-shot",
    summary: "The pre-trained model with hand-written sentences; nothing is learned.",
    paper: "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021",
    options: [.init("templates", "Sentences with {} for the class name; their unit features are averaged.")])
  public static let defaults = Configuration()

  private let context: MethodContext
  private let templates: [[String]]

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.context = context
    guard !configuration.templates.isEmpty else {
      throw BanyanError(.usage, at: "templates", "expected at least one sentence, found none")
    }
    for template in configuration.templates where template.components(separatedBy: "{}").count != 2 {
      throw BanyanError(.usage, at: "templates: \"\(template)\"", "expected {} exactly once")
    }
    templates = context.tasks.map { $0.templates.isEmpty ? configuration.templates : $0.templates }
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree { ParameterTree() }

  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    let classifiers = try classifiers(parameters)
    return try Engine.withoutGradients {
      try batches.map { batch in
        let logits = try batch.features.matmul(classifiers[batch.task].weights().transposed())
        return try (logits * context.model.logitScale).crossEntropy(batch.labels).item()
      }
    }
  }

  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    StepOutcome(objectives: try objectives(parameters, batches), gradients: ParameterTree())
  }

  public func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    try objectives(parameters, batches).map { StepOutcome(objectives: [$0], gradients: ParameterTree()) }
  }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    try Engine.withoutGradients {
      try zip(context.tasks, templates).map { task, templates in
        let unit = try templates.map { template in
          let sentences = try task.classNames.map { name -> ClassTokens in
            let text = template.replacingOccurrences(of: "{}", with: name)
            let encoding = context.tokenizer.encode(text)
            guard !encoding.isTruncated else {
              throw BanyanError(
                .usage, at: "\"\(text)\"", "does not fit the model's \(context.tokenizer.contextLength) positions",
                remedy: "Shorten the class name or the template.")
            }
            return ClassTokens(sentence: encoding.ids)
          }
          return try context.model.text.features(sentences, path: context.encodingPath).select(0, 0).normalized()
        }
        return TaskClassifier(try Tensor.stacked(unit).mean([0]).normalized())
      }
    }
  }
}
