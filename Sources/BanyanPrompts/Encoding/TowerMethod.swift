import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// A method whose loss is computed through a tower: it learns something of the image side, or on top of it.
///
/// ``TextPromptMethod`` differentiates the text tower alone, on cached features; here a conforming type says how a task's
/// class weights and a batch's features come about, as expressions with a graph, and gets steps, gradients by task and
/// classifiers. Weights that several tasks share are encoded once a step; pictures go through the tower in parts, so that
/// no step keeps more activations than its budget.
protocol TowerMethod: PromptMethod {
  /// What the method was built from.
  var context: MethodContext { get }

  /// A task's class weights, with a graph where parameters are leaves.  // [classes, projection]
  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor

  /// Those of some of its classes.
  func weights(_ parameters: ParameterTree, task: Int, classes: Range<Int>) throws -> Tensor

  /// Tasks with equal keys have equal weights.
  func weightsKey(task: Int) -> String
}

extension TowerMethod {
  public var logitScale: Double { context.model.logitScale }
  public var predictsByMatrix: Bool { false }
  func weightsKey(task: Int) -> String { "task \(task)" }

  /// For weights that cost nothing to make; those that come out of the text tower make these alone.
  func weights(_ parameters: ParameterTree, task: Int, classes: Range<Int>) throws -> Tensor {
    try weights(parameters, task: task).narrowed(0, start: classes.lowerBound, length: classes.count)
  }

  public func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    try features(parameters, batch).matmul(weights.transposed()) * logitScale
  }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    try Engine.withoutGradients {
      var known: [String: Tensor] = [:]
      return try context.tasks.indices.map { task in
        let weights = try known[weightsKey(task: task)] ?? self.weights(parameters, task: task)
        known[weightsKey(task: task)] = weights
        return TaskClassifier(weights)
      }
    }
  }

  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    try Engine.withoutGradients {
      let encoded = try EncodedWeights(of: self, parameters, batches)
      return try batches.map { batch in
        try parts(of: batch, besides: ParameterTree()).reduce(0) {
          try $0 + loss(parameters, $1, of: batch, encoded.leaf(batch.task)).item()
        }
      }
    }
  }

  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    let outcomes = try outcomes(parameters, batches, together: true)
    return StepOutcome(objectives: outcomes.flatMap(\.objectives), gradients: outcomes[0].gradients)
  }

  public func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
    try outcomes(parameters, batches, together: false)
  }

  /// One outcome for each batch; with `together` the first one's gradients are those of the sum.
  private func outcomes(_ parameters: ParameterTree, _ batches: [TaskBatch], together: Bool) throws -> [StepOutcome] {
    let trainable = try selection.split(parameters).trainable
    let encoded = try Engine.withGradients { try EncodedWeights(of: self, parameters, batches) }
    var outcomes: [StepOutcome] = []
    var total = ParameterTree()
    for batch in batches {
      // What serves other tasks alone would get zeros from every part.
      let own = trainable.filtered { serves(batch.task, path: $0) }
      var objective = 0.0
      var sum = together ? total : ParameterTree()
      var cotangent: Tensor?
      for part in try parts(of: batch, besides: trainable) {
        let leaf = try encoded.leaf(batch.task)
        let loss = try Engine.withGradients { try self.loss(parameters, part, of: batch, leaf) }
        objective += try loss.item()
        var found = try Gradients.ofUsed([loss], with: leaf.requiresGradient ? own.tensors + [leaf] : own.tensors)
        if leaf.requiresGradient, let last = found.removeLast() {
          cotangent = try cotangent.map { try $0 + last } ?? last
        }
        try sum.add(ParameterTree(paths: own.paths, used: found))
      }
      if let cotangent { try encoded.add(cotangent, to: weightsKey(task: batch.task)) }
      if together {
        total = sum
      } else {
        try sum.add(encoded.pullBack(own, retainingGraph: true))
        encoded.clear()
        sum = try sum.filled(like: trainable)
      }
      outcomes.append(StepOutcome(objectives: [objective], gradients: together ? ParameterTree() : sum))
    }
    if together, !outcomes.isEmpty {
      try total.add(encoded.pullBack(trainable, retainingGraph: false))
      outcomes[0].gradients = try total.filled(like: trainable)
    }
    return outcomes
  }

  /// The part's share of its batch's mean cross-entropy.
  private func loss(_ parameters: ParameterTree, _ part: TaskBatch, of batch: TaskBatch, _ weights: Tensor) throws
    -> Tensor
  {
    let mean = try logits(parameters, part, weights).crossEntropy(part.labels)
    return part.count == batch.count ? mean : try mean * (Double(part.count) / Double(batch.count))
  }

  /// A batch cut into about equal parts, so that the activations of one stay within the budget; or within what the gradients,
  /// the momentum and the next values of `trained` take, where that is more.
  private func parts(of batch: TaskBatch, besides trained: ParameterTree) throws -> [TaskBatch] {
    guard readsPixels else { return [batch] }
    let configuration = context.model.configuration
    let (tower, tokens) = (configuration.image, configuration.patchCount + 1)
    let floats: Int
    if context.model.image.taken(context.imagePath) == .fused {
      // What a block keeps: inputs of its norms, queries, keys, values, what is mixed, and the MLP's inner layer; and what one
      // block needs while it works.
      let (kept, working) = (6 * tower.width + tower.mlpWidth, 10 * tower.width + 3 * tower.mlpWidth)
      floats = tokens * (tower.layers * kept + working)
    } else {
      // Two norms, queries, keys, values, attention, the MLP's two layers and the sums in between.
      floats = tokens * tower.layers * (10 * tower.width + 4 * tower.mlpWidth + 2 * tower.heads * tokens)
    }
    let budget = max(context.activationBudget, 3 * 4 * trained.tensors.reduce(0) { $0 + $1.count })
    let most = max(1, budget / (4 * floats))
    guard batch.count > most else { return [batch] }
    let parts = (batch.count - 1) / most + 1
    let rows = (batch.count - 1) / parts + 1
    return try stride(from: 0, to: batch.count, by: rows).map {
      try batch.rows(Array($0..<min($0 + rows, batch.count)))
    }
  }
}

extension TowerMethod {
  /// A task's classes, cut so that the text tower's activations of one part stay within the budget.
  fileprivate func classParts(of task: Int) -> [Range<Int>] {
    let (count, text) = (context.tasks[task].classNames.count, context.model.configuration.text)
    // A name has few tokens of its own; without the shared prefix it has all positions.
    let isFused = context.model.text.taken(context.encodingPath) == .fused
    let tokens = isFused ? 8 : context.model.configuration.contextLength
    let floats =
      isFused
      ? text.layers * (6 * text.width + text.mlpWidth) + 10 * text.width + 3 * text.mlpWidth
      : text.layers * (10 * text.width + 4 * text.mlpWidth + 2 * text.heads * tokens)
    let most = max(1, context.activationBudget / (4 * tokens * floats))
    guard count > most else { return [0..<count] }
    let parts = (count - 1) / most + 1
    let length = (count - 1) / parts + 1
    return stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
  }
}

/// The class weights of a step: encoded once, read by every part, pulled back once.
///
/// Of a long list of classes some are encoded at a time: the first keep their graph, the others are encoded again when their
/// gradients are asked for.
private final class EncodedWeights {
  /// A stretch of a task's classes.
  private struct Part {
    let classes: Range<Int>
    let graph: Tensor?
    let encode: () throws -> Tensor
  }

  private let keys: [Int: String]
  private var parts: [String: [Part]] = [:]
  private var leaves: [String: Tensor] = [:]
  private var cotangents: [String: Tensor] = [:]

  init(of method: some TowerMethod, _ parameters: ParameterTree, _ batches: [TaskBatch]) throws {
    keys = Dictionary(batches.map { ($0.task, method.weightsKey(task: $0.task)) }) { first, _ in first }
    for (task, key) in keys.sorted(by: { $0.key < $1.key }) where parts[key] == nil {
      var found: [Tensor] = []
      parts[key] = try method.classParts(of: task).enumerated().map { place, classes in
        let encode = { try method.weights(parameters, task: task, classes: classes) }
        let keeps = place == 0
        found.append(try keeps ? encode() : Engine.withoutGradients(encode))
        return Part(classes: classes, graph: keeps ? found[0] : nil, encode: encode)
      }
      let weights = try found.count == 1 ? found[0] : .concatenated(found, axis: 0)
      leaves[key] = found[0].requiresGradient ? try weights.asParameter() : try weights.detached()
    }
  }

  func leaf(_ task: Int) throws -> Tensor {
    guard let leaf = keys[task].flatMap({ leaves[$0] }) else {
      throw BanyanError(.failed, at: "task \(task)", "is not part of the step")
    }
    return leaf
  }

  func add(_ cotangent: Tensor, to key: String) throws {
    cotangents[key] = try cotangents[key].map { try $0 + cotangent } ?? cotangent
  }

  func clear() { cotangents = [:] }

  /// The gradients of `inputs` through the weights; an empty tree where no weights have a graph.
  func pullBack(_ inputs: ParameterTree, retainingGraph: Bool) throws -> ParameterTree {
    var total = ParameterTree()
    for (key, cotangent) in cotangents.sorted(by: { $0.key < $1.key }) {
      for part in parts[key] ?? [] {
        let own = try cotangent.narrowed(0, start: part.classes.lowerBound, length: part.classes.count)
        let weights = try part.graph ?? Engine.withGradients(part.encode)
        let gradients = try Gradients.ofUsed(
          [weights], cotangents: [own], with: inputs.tensors, retainingGraph: retainingGraph)
        try total.add(ParameterTree(paths: inputs.paths, used: gradients))
      }
    }
    return total
  }
}

extension ParameterTree {
  fileprivate init(paths: [String], used: [Tensor?]) {
    self.init(
      Dictionary(uniqueKeysWithValues: zip(paths, used).compactMap { path, tensor in tensor.map { (path, $0) } }))
  }
}
