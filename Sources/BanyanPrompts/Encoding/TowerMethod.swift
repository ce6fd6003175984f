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

  /// Tasks with equal keys have equal weights.
  func weightsKey(task: Int) -> String

  /// A batch's features, with a graph where parameters are leaves.  // [rows, projection], of length one
  func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor
}

extension TowerMethod {
  public var logitScale: Double { context.model.logitScale }
  public var predictsByMatrix: Bool { false }
  func weightsKey(task: Int) -> String { "task \(task)" }

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
        try parts(of: batch).reduce(0) { try $0 + loss(parameters, $1, of: batch, encoded.leaf(batch.task)).item() }
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
    let leaves = trainable.tensors
    let encoded = try Engine.withGradients { try EncodedWeights(of: self, parameters, batches) }
    var outcomes: [StepOutcome] = []
    var total: [Tensor]?
    for batch in batches {
      let key = weightsKey(task: batch.task)
      var objective = 0.0
      var sum = together ? total : nil
      var cotangent: Tensor?
      for part in try parts(of: batch) {
        let leaf = try encoded.leaf(batch.task)
        let loss = try Engine.withGradients { try self.loss(parameters, part, of: batch, leaf) }
        objective += try loss.item()
        let wanted = leaf.requiresGradient ? leaves + [leaf] : leaves
        var found = try Gradients.of([loss], with: wanted)
        if leaf.requiresGradient, let last = found.popLast() { cotangent = try cotangent.map { try $0 + last } ?? last }
        sum = try sum.map { try zip($0, found).map { try $0 + $1 } } ?? found
      }
      if let cotangent { try encoded.add(cotangent, to: key) }
      if together {
        total = sum
      } else {
        sum = try Self.sum(sum, encoded.pullBack(leaves, retainingGraph: true))
        encoded.clear()
      }
      let gradients = together ? ParameterTree() : Self.tree(trainable.paths, sum ?? [])
      outcomes.append(StepOutcome(objectives: [objective], gradients: gradients))
    }
    if together, !outcomes.isEmpty {
      let sum = try Self.sum(total, encoded.pullBack(leaves, retainingGraph: false))
      outcomes[0].gradients = Self.tree(trainable.paths, sum ?? [])
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

  /// A batch cut so that the activations of one part stay within the budget.
  private func parts(of batch: TaskBatch) throws -> [TaskBatch] {
    guard readsPixels else { return [batch] }
    let configuration = context.model.configuration
    let (tower, tokens) = (configuration.image, configuration.patchCount + 1)
    // Two norms, queries, keys, values, attention, the MLP's two layers and the sums in between.
    let floats = tokens * tower.layers * (10 * tower.width + 4 * tower.mlpWidth + 2 * tower.heads * tokens)
    let rows = max(1, context.activationBudget / (4 * floats))
    guard batch.count > rows else { return [batch] }
    return try stride(from: 0, to: batch.count, by: rows).map {
      try batch.rows(Array($0..<min($0 + rows, batch.count)))
    }
  }

  private static func sum(_ a: [Tensor]?, _ b: [Tensor]?) throws -> [Tensor]? {
    guard let a else { return b }
    guard let b else { return a }
    return try zip(a, b).map { try $0 + $1 }
  }

  private static func tree(_ paths: [String], _ tensors: [Tensor]) -> ParameterTree {
    ParameterTree(Dictionary(uniqueKeysWithValues: zip(paths, tensors)))
  }
}

/// The class weights of a step: encoded once, read by every part, pulled back once.
private final class EncodedWeights {
  private let keys: [Int: String]
  private var graphs: [String: Tensor] = [:]
  private var leaves: [String: Tensor] = [:]
  private var cotangents: [String: Tensor] = [:]

  init(of method: some TowerMethod, _ parameters: ParameterTree, _ batches: [TaskBatch]) throws {
    keys = Dictionary(batches.map { ($0.task, method.weightsKey(task: $0.task)) }) { first, _ in first }
    for (task, key) in keys.sorted(by: { $0.key < $1.key }) where graphs[key] == nil {
      let weights = try method.weights(parameters, task: task)
      graphs[key] = weights
      leaves[key] = weights.requiresGradient ? try weights.asParameter() : weights
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

  /// The gradients of `inputs` through the weights; `nil` where no weights have a graph.
  func pullBack(_ inputs: [Tensor], retainingGraph: Bool) throws -> [Tensor]? {
    let keys = cotangents.keys.sorted()
    guard !keys.isEmpty else { return nil }
    return try Gradients.of(
      keys.compactMap { graphs[$0] }, cotangents: keys.compactMap { cotangents[$0] }, with: inputs,
      retainingGraph: retainingGraph)
  }
}
