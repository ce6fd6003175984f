import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import Foundation

/// Class weights from sentences written by hand, averaged over the sentences.
///
///     w_c = normalise( 1/K · Σₖ normalise( text(templateₖ(c)) ) )        // [classes, projection]
///
/// A task's own templates win over the configured ones.
struct TemplateEncoder: Sendable {
  /// The sentences of each task, by template and class.
  private let sentences: [[[ClassTokens]]]
  private let templates: [[String]]
  private let path: TextTower.EncodingPath

  /// - Throws: A `BanyanError` where a template has not exactly one `{}`, or a sentence is too long.
  init(_ templates: [String], context: MethodContext) throws {
    guard !templates.isEmpty else {
      throw BanyanError(.usage, at: "templates", "expected at least one sentence, found none")
    }
    for template in templates where template.components(separatedBy: "{}").count != 2 {
      throw BanyanError(.usage, at: "templates: \"\(template)\"", "expected {} exactly once")
    }
    path = context.encodingPath
    self.templates = context.tasks.map { $0.templates.isEmpty ? templates : $0.templates }
    sentences = try zip(context.tasks, self.templates).map { task, templates in
      try templates.map { template in
        try task.classNames.map { name in
          let text = template.replacingOccurrences(of: "{}", with: name)
          let encoding = context.tokenizer.encode(text)
          guard !encoding.isTruncated else {
            throw BanyanError(
              .usage, at: "\"\(text)\"", "does not fit the model's \(context.tokenizer.contextLength) positions",
              remedy: "Shorten the class name or the template.")
          }
          return ClassTokens(sentence: encoding.ids)
        }
      }
    }
  }

  /// The weights of a task's classes, or of some of them, by `tower`, which may carry a graph.
  /// // [classes, projection], unit rows
  func weights(task: Int, classes: Range<Int>? = nil, tower: TextTower) throws -> Tensor {
    let wanted = classes ?? sentences[task][0].indices
    // So many at a time, however many there are, and one template's on top of the others'.
    let parts = try stride(from: wanted.lowerBound, to: wanted.upperBound, by: Self.namesAtOnce).map { start in
      let some = start..<min(start + Self.namesAtOnce, wanted.upperBound)
      var sum: Tensor?
      for template in sentences[task] {
        let unit = try tower.features(Array(template[some]), path: path).select(0, 0).normalized()
        sum = try sum.map { try $0 + unit } ?? unit
      }
      return try (sum ?? Tensor.zeros([0])).affine(scale: 1 / Double(sentences[task].count)).normalized()
    }
    return parts.count == 1 ? parts[0] : try Tensor.concatenated(parts, axis: 0)
  }

  /// Some 250 MB of activations in a ViT-B's text tower.
  private static let namesAtOnce = 1000

  /// A task's sentences, with `{}` for the class name.
  func templates(task: Int) -> [String] { templates[task] }

  /// The same for tasks whose sentences are the same.
  func key(task: Int) -> String { "sentences of task \(sentences.firstIndex(of: sentences[task]) ?? task)" }
}

/// The weights of hand-written sentences by the frozen text tower, each distinct list of sentences encoded once.
struct TemplateWeights: Sendable {
  private let encoder: TemplateEncoder
  private let weights: [String: Tensor]

  /// Encodes the sentences of all tasks of `context`.
  init(_ templates: [String], context: MethodContext) throws {
    let encoder = try TemplateEncoder(templates, context: context)
    self.encoder = encoder
    var weights: [String: Tensor] = [:]
    for task in context.tasks.indices where weights[encoder.key(task: task)] == nil {
      weights[encoder.key(task: task)] = try Engine.withoutGradients {
        try encoder.weights(task: task, tower: context.model.text)
      }
    }
    self.weights = weights
  }

  /// Tasks with equal keys have equal weights.
  func key(task: Int) -> String { encoder.key(task: task) }

  /// A task's weights.  // [classes, projection], unit rows
  func callAsFunction(_ task: Int) throws -> Tensor {
    guard let found = weights[encoder.key(task: task)] else {
      throw BanyanError(.failed, at: "task \(task)", "has no class weights")
    }
    return found
  }
}
