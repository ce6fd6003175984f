import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// The prompts of both towers, layer by layer; each [count, width].
struct TowerPrompts {
  /// Right after the start token of every class name.
  var text: [Int: Tensor] = [:]
  /// Right after the class token of every picture.
  var image: [Int: Tensor] = [:]

  /// These prompts with `other`'s behind them at every layer.
  func followed(by other: TowerPrompts) throws -> TowerPrompts {
    func joined(_ a: [Int: Tensor], _ b: [Int: Tensor]) throws -> [Int: Tensor] {
      try a.merging(b) { try Tensor.concatenated([$0, $1], axis: 0) }
    }
    return TowerPrompts(text: try joined(text, other.text), image: try joined(image, other.image))
  }

  fileprivate static func injection(_ layers: [Int: Tensor]) throws -> PromptInjection {
    try PromptInjection(layers: layers.mapValues { try $0.reshaped([1] + $0.shape) })
  }
}

/// Both towers under prompts: class names to weights, pictures to features.
struct PromptedTowers: Sendable {
  private let model: CLIPModel
  private let vocabulary: ClassVocabulary
  private let path: TextTower.EncodingPath
  private let imagePath: ImageTower.EncodingPath

  /// - Parameter textPrompts: How many prompts stand in front of a class name.
  /// - Throws: A `BanyanError` that names the class name which finds no room beside them.
  init(_ context: MethodContext, textPrompts: Int) throws {
    model = context.model
    path = context.encodingPath
    imagePath = context.imagePath
    vocabulary = try ClassVocabulary(context.tasks, tokenizer: context.tokenizer)
    let limit = context.model.configuration.contextLength
    for (task, set) in zip(context.tasks, vocabulary.classSet) {
      for (name, tokens) in zip(task.classNames, vocabulary.classSets[set]) {
        let room = limit - textPrompts - 2 - tokens.closing.count
        guard tokens.name.count > room else { continue }
        throw BanyanError(
          .usage, at: "task \(task.name), class name \"\(name.prefix(40))\"",
          "is too long: it has \(tokens.name.count) tokens, and beside \(textPrompts) prompts there is room for "
            + "\(max(0, room))", remedy: "Shorten it under classNames in tasks.json, or use fewer prompts.")
      }
    }
  }

  /// Tasks with the same class names have the same list.
  func classSet(of task: Int) -> Int { vocabulary.classSet[task] }

  /// The weights of a task's classes, or of some of them, under `prompts`.  // [classes, projection], unit rows
  func weights(_ prompts: TowerPrompts, task: Int, classes: Range<Int>? = nil) throws -> Tensor {
    let all = vocabulary.classSets[vocabulary.classSet[task]]
    let names = Array(all[classes ?? all.indices])
    let injection = try TowerPrompts.injection(prompts.text)
    return try model.text.features(names, injection: injection, path: path, packed: classes == nil)
      .select(0, 0).normalized()
  }

  /// The features of a batch under `prompts`.  // [rows, projection], unit rows
  func features(_ prompts: TowerPrompts, _ batch: TaskBatch) throws -> Tensor {
    if prompts.image.isEmpty { return batch.features }
    return try model.image.features(
      batch.pixels(), injection: TowerPrompts.injection(prompts.image), path: imagePath
    ).normalized()
  }
}
