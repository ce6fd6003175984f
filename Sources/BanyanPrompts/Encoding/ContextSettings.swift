public import BanyanCLIP
public import BanyanFoundation
import BanyanTensor

/// The free vectors of a text prompt: how many, from where they start, and where they stand.
public struct ContextSettings: Codable, Sendable, Equatable {
  /// How many context vectors a prompt has.
  public var length: Int = 16
  /// Words whose embeddings the context starts from; their number of tokens takes the place of `length`.
  @Nullable public var initialWords: String?
  /// Standard deviation of the random start, where no words are given.
  public var deviation: Double = 0.02
  /// Whether every class has a context of its own.
  public var classSpecific: Bool = false
  /// Where the class name stands: at the end of the context, in its middle, or in front of it.
  public var position: PromptInjection.Position = .end

  /// The defaults: 16 vectors in front of the name, from N(0, 0.02²).
  public init(
    length: Int = 16, initialWords: String? = nil, deviation: Double = 0.02, classSpecific: Bool = false,
    position: PromptInjection.Position = .end
  ) {
    self.length = length
    _initialWords = Nullable(wrappedValue: initialWords)
    self.deviation = deviation
    self.classSpecific = classSpecific
    self.position = position
  }

  /// What every method with such a context offers.
  static let options: [MethodDescriptor.Option] = [
    .init("context.length", "How many context vectors a prompt has."),
    .init("context.initialWords", "Words whose embeddings the context starts from, instead of random vectors."),
    .init("context.deviation", "Standard deviation of the random start."),
    .init("context.classSpecific", "Whether every class has a context of its own."),
    .init("context.position", "Where the class name stands: at the end of the context, in its middle, or in front."),
  ]

  /// A starting context that depends on the seed and on whom it serves, and on nothing else.
  ///
  /// - Parameters:
  ///   - tasks: The tasks that the prompt serves; the random stream is that of their names.
  ///   - classes: The number of classes, for contexts that differ by class.
  /// - Returns: [length, width] or [classes, length, width].
  func start(for tasks: [PromptTask], classes: Int?, context: MethodContext, seed: UInt64) throws -> Tensor {
    let width = context.model.configuration.text.width
    let limit = context.model.configuration.contextLength - 3
    let shared = Set(tasks.map(\.initialWords))
    let words = initialWords ?? (shared.count == 1 ? shared.first.flatMap { $0 } : nil)
    if let words {
      let ids = context.tokenizer.tokens(of: words)
      guard !ids.isEmpty, ids.count <= limit else {
        throw BanyanError(
          .usage, at: "context.initialWords", "expected 1 to \(limit) tokens, found \(ids.count) in \"\(words)\"")
      }
      try check(tasks, count: ids.count, context: context)
      let vectors = try context.model.text.embeddings(of: ids).detached().clone()
      guard let classes else { return vectors }
      return try vectors.reshaped([1, ids.count, width]).expanded([classes, ids.count, width]).clone()
    }
    guard (1...limit).contains(length) else {
      throw BanyanError(.usage, at: "context.length", "expected 1 to \(limit), found \(length)")
    }
    try check(tasks, count: length, context: context)
    guard deviation > 0, deviation.isFinite else {
      throw BanyanError(.usage, at: "context.deviation", "expected a positive number, found \(deviation)")
    }
    let label = "context of " + tasks.map(\.name).sorted().joined(separator: "\u{1F}")
    var generator = SeededGenerator(seed: seed, label: label)
    let shape = (classes.map { [$0] } ?? []) + [length, width]
    return try Tensor.normal(shape, deviation: deviation, generator: &generator).to(device: context.model.device)
  }

  /// Refuses class names that find no room beside `count` context vectors.
  private func check(_ tasks: [PromptTask], count: Int, context: MethodContext) throws {
    // Start, end and the full stop stand there too.
    let room = context.model.configuration.contextLength - count - 2 - context.tokenizer.tokens(of: ".").count
    for task in tasks {
      for name in task.classNames {
        let tokens = context.tokenizer.tokens(of: name).count
        guard tokens > room else { continue }
        let shown = name.count > 40 ? name.prefix(40) + "…" : name[...]
        throw BanyanError(
          .usage, at: "task \(task.name), class name \"\(shown)\"",
          "is too long: it has \(tokens) tokens, and beside \(count) context vectors there is room for \(max(0, room))",
          remedy: "Shorten it under classNames in tasks.json, or use a smaller context.length.")
      }
    }
  }

  /// Refuses class-specific contexts for a prompt that serves lists of different lengths or names.
  func check(classSets: Int, prompt: String) throws {
    guard classSpecific, classSets > 1 else { return }
    throw BanyanError(
      .usage, at: "context.classSpecific",
      "\(prompt) serves tasks with \(classSets) different lists of class names, which cannot share contexts by class",
      remedy: "Set context.classSpecific to false.")
  }
}
