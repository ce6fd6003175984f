import BanyanFoundation
public import BanyanStructure
package import BanyanTensor
import Foundation

/// Learns where models stand among tasks, from the errors that they had on tasks, so as to name the best model for a new one.
///
///     m_j  = F_j + b_j                                    // F_j: the task that model j was trained on; b_j is learned
///     p(j | t) = softmax_j(−γ d_asym(m_j → t))            // γ > 0 is learned
///     q(j | t) = softmax_j(−α (e_tj − mean_j e_tj) / std_j e_tj)
///     loss = 1/T Σ_t Σ_j −q(j | t) log p(j | t)
///
/// Unlike `TaskEmbedding.asymmetricDistance(to:alpha:)` it knows that two models of one task may differ. The supplement
/// prints the loss without the logarithm, which is smallest at a one-hot prediction and not where it says.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, section 4.3 of the supplement.
public struct Model2Vec: Sendable {
  /// How it is learned.
  public struct Settings: Codable, Sendable, Equatable {
    /// `α` of the soft labels.
    public var sharpness = 20.0
    /// `α` of the asymmetric distance.
    public var alpha = EmbeddingDistance.defaultAlpha
    /// Rate of Adam.
    public var rate = 0.05
    /// Weight decay, as part of the loss.
    public var weightDecay = 5e-4
    /// Steps over all tasks.
    public var epochs = 81

    /// The paper's settings.
    public init() {}

    func validate() throws {
      let numbers = [("sharpness", sharpness), ("rate", rate)]
      for (key, value) in numbers where !(value > 0 && value.isFinite) {
        throw BanyanError(.usage, at: "model2vec.\(key)", "expected a positive number, found \(value)")
      }
      guard weightDecay >= 0, weightDecay.isFinite, alpha.isFinite else {
        throw BanyanError(.usage, at: "model2vec", "expected a finite alpha and a weight decay of zero or more")
      }
      guard (0...1_000_000).contains(epochs) else {
        throw BanyanError(.usage, at: "model2vec.epochs", "expected zero or more, found \(epochs)")
      }
    }
  }

  private let settings: Settings
  /// What each filter's number is divided by, its mean over the models, so that a learned `b` of size one is as large as it is
  /// whatever the layer's scale; distances do not change by it.
  private let units: [Double]
  private let reference: TaskEmbedding
  private let tasks: [Tensor]  // [filters] each
  private let models: [Tensor]  // [filters] each
  private let priors: [Tensor]  // [filters] each, of the models

  /// Prepares the embeddings of tasks and of the tasks that the models were trained on.
  ///
  /// - Throws: A `BanyanError` where embeddings do not compare, or there are none.
  public init(tasks: [TaskEmbedding], models: [TaskEmbedding], settings: Settings = Settings()) throws {
    try settings.validate()
    guard let first = models.first else {
      throw BanyanError(.usage, at: "models", "expected one or more, found none")
    }
    for other in tasks + models { try first.checkComparable(other) }
    self.settings = settings
    let precisions = models.map(\.precision)
    let units = first.fisher.indices.map { filter in
      precisions.reduce(0) { $0 + $1[filter] } / Double(precisions.count)
    }
    (self.units, reference) = (units, first)
    func tensor(_ values: [Double]) throws -> Tensor {
      try Tensor(zip(values, units).map { $0 / $1 }, shape: [values.count])
    }
    self.tasks = try tasks.map { try tensor($0.precision) }
    self.models = try precisions.map(tensor)
    priors = try models.map { try tensor($0.prior) }
  }

  /// What was learned: `b_j` and `log γ`.
  public struct Learned: Sendable {
    package let offsets: Tensor  // [models, filters]
    package let logGamma: Tensor
    /// The loss before every step, and at the end.
    public let losses: [Double]
  }

  /// `softmax(−α (e − mean)/std)` over models; equal shares where all errors are equal.
  public static func softLabels(_ errors: [Double], sharpness: Double) -> [Double] {
    let mean = errors.reduce(0, +) / Double(max(1, errors.count))
    let deviation = (errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, errors.count))).squareRoot()
    // Errors that differ by rounding alone are equal.
    let logits = errors.map { deviation > 1e-9 ? -sharpness * ($0 - mean) / deviation : 0 }
    let highest = logits.max() ?? 0
    let weights = logits.map { exp($0 - highest) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// Learns from tasks whose errors under all models are known.
  ///
  /// - Parameters:
  ///   - errors: [tasks, models], fractions; `nil` where a model is not to be asked about a task.
  ///   - rows: The tasks to learn from; all where `nil`.
  public func fit(errors: [[Double?]], rows: [Int]? = nil) throws -> Learned {
    try check(errors)
    let rows = rows ?? Array(tasks.indices)
    let filters = models[0].count
    var tree = ParameterTree()
    tree["offsets"] = try Tensor.zeros([models.count, filters], dtype: .float64).asParameter()
    tree["logGamma"] = try Tensor.zeros([], dtype: .float64).asParameter()
    let rule = Optimizer.Rule.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    let optimizer = try Optimizer(rule, parameters: tree, rate: settings.rate)
    var losses: [Double] = []
    for epoch in 0...settings.epochs {
      // Task by task, so that no more than one task's differences with all models are kept.
      var sum = try tree.mapTensors { _, tensor in try .zeros(tensor.shape, dtype: .float64) }
      var loss = 0.0
      for row in rows {
        let value = try self.loss(tree, task: row, errors: errors[row])
        loss += try value.item() / Double(rows.count)
        guard epoch < settings.epochs else { continue }
        for (path, gradient) in zip(tree.paths, try Gradients.of([value], with: tree.tensors)) {
          sum[path] = try sum.require(path) + gradient * (1 / Double(rows.count))
        }
      }
      losses.append(loss)
      guard epoch < settings.epochs else { break }
      let step = try Engine.withoutGradients {
        try sum.mapTensors { path, gradient in
          try gradient + tree.require(path).detached() * settings.weightDecay
        }
      }
      try optimizer.step(step, rate: settings.rate)
    }
    return Learned(
      offsets: try tree.require("offsets").detached(), logGamma: try tree.require("logGamma").detached(), losses: losses
    )
  }

  /// `Σ_j −q log p` of one task.
  private func loss(_ tree: ParameterTree, task: Int, errors: [Double?]) throws -> Tensor {
    let asked = errors.indices.filter { errors[$0] != nil }
    let labels = Self.softLabels(asked.compactMap { errors[$0] }, sharpness: settings.sharpness)
    let distances = try self.distances(tasks[task], tree.require("offsets"), asked)
    let logs = try (-(distances * tree.require("logGamma").exp())).logSoftmax()
    return try -(logs * Tensor(labels, shape: [labels.count])).sum()
  }

  /// `d_asym(m_j → t)` of the models `asked`.  // [asked]
  private func distances(_ task: Tensor, _ offsets: Tensor, _ asked: [Int]) throws -> Tensor {
    let places = try Tensor.indices(asked)
    // A model's precision stays positive.
    let own = try Tensor.stacked(asked.map { models[$0] }) + offsets.gathered(0, places)
    let placed = try (own + -Self.floor).relu() + Self.floor
    let prior = try Tensor.stacked(asked.map { priors[$0] })
    return try Self.symmetric(placed, task) - Self.symmetric(placed, prior) * settings.alpha
  }

  private static let floor = 1e-6

  /// `1 − cos(a/(a+b), b/(a+b))` over the last axis.
  private static func symmetric(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    let sum = try a + b
    let (first, second) = (try a / sum, try b / sum)
    let product = try (first * second).sum([1])
    let lengths = try (first.squared().sum([1]) * second.squared().sum([1])).sqrt()
    return try -(product / lengths) + 1
  }

  /// How likely each model is to be the best for a task: [models], 0 for those not asked.
  ///
  /// - Parameters:
  ///   - learned: What ``fit(errors:rows:)`` gave.
  ///   - task: An embedding by the same probe.
  ///   - asking: The models to choose among; all where `nil`.
  public func probabilities(_ learned: Learned, for task: TaskEmbedding, asking: [Int]? = nil) throws -> [Double] {
    try reference.checkComparable(task)
    return try Engine.withoutGradients {
      let asked = asking ?? Array(models.indices)
      let values = try distances(
        Tensor(zip(task.precision, units).map { $0 / $1 }, shape: [task.fisher.count]), learned.offsets, asked)
      let chances = try (-(values * learned.logGamma.exp())).softmax().doubles()
      var result = [Double](repeating: 0, count: models.count)
      for (place, model) in asked.enumerated() { result[model] = chances[place] }
      return result
    }
  }

  /// Which model would be chosen for every task, learned from all other tasks.
  public func leaveOneOut(errors: [[Double?]], embeddings: [TaskEmbedding]) throws -> [Int] {
    try tasks.indices.map { left in
      let learned = try fit(errors: errors, rows: tasks.indices.filter { $0 != left })
      let asked = errors[left].indices.filter { errors[left][$0] != nil }
      let chances = try probabilities(learned, for: embeddings[left], asking: asked)
      return asked.max { chances[$0] < chances[$1] } ?? 0
    }
  }

  private func check(_ errors: [[Double?]]) throws {
    guard errors.count == tasks.count, errors.allSatisfy({ $0.count == models.count }) else {
      throw BanyanError(
        .usage, at: "error matrix", "expected \(tasks.count) tasks × \(models.count) models, found \(errors.count) rows"
      )
    }
    for (task, row) in errors.enumerated() {
      let known = row.compactMap(\.self)
      guard !known.isEmpty, known.allSatisfy(\.isFinite) else {
        throw BanyanError(.usage, at: "error matrix: task \(task)", "expected finite errors of one model or more")
      }
    }
  }
}
