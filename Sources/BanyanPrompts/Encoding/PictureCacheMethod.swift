import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// A method that looks a picture up among the training pictures, and adds what they say to the logits of the text.
///
///     logits = exp(s) · x wᵀ + α · exp(−β (1 − x Fᵀ)) L        // [rows, classes]
///
/// `w` are the weights of hand-written sentences, `F` [n, projection] the keys and `L` [n, classes] the values: at the start
/// the training pictures' unit features and one-hot labels. A conforming type says by its selection what of it is trained.
protocol PictureCacheMethod: TowerMethod where Configuration == CacheSettings {
  var parts: PictureCacheParts { get }
}

/// What every method with a cache of pictures is built from, checked.
struct PictureCacheParts: Sendable {
  let context: MethodContext
  let settings: CacheSettings
  let templates: TemplateWeights

  init(_ settings: CacheSettings, context: MethodContext) throws {
    try settings.check()
    self.settings = settings
    self.context = context
    templates = try TemplateWeights(settings.templates, context: context)
  }
}

extension PictureCacheMethod {
  public static var defaults: CacheSettings { CacheSettings() }
  var context: MethodContext { parts.context }
  private var settings: CacheSettings { parts.settings }
  private var templates: TemplateWeights { parts.templates }
  public var needsValidation: Bool { settings.search }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor { try templates(task) }
  func weightsKey(task: Int) -> String { templates.key(task: task) }
  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor { batch.features }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    for task in context.tasks.indices {
      tree["tasks.\(task).alpha"] = try .full([], settings.alpha, device: context.model.device)
      tree["tasks.\(task).beta"] = try .full([], settings.beta, device: context.model.device)
    }
    return tree
  }

  public func prepared(
    _ parameters: ParameterTree, training: [TaskBatch], seed: UInt64, report: (Int, Int) throws -> Void
  ) throws -> ParameterTree {
    var tree = parameters
    for batch in training {
      tree["tasks.\(batch.task).keys"] = try batch.features.detached().clone()
      tree["tasks.\(batch.task).values"] =
        try batch.oneHotLabels(classes: context.tasks[batch.task].classNames.count)
    }
    return tree
  }

  public func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    func own(_ name: String) throws -> Tensor { try parameters.require("tasks.\(batch.task).\(name)") }
    let distances = try batch.features.matmul(own("keys").transposed()) + -1  // [rows, n], below zero
    let said = try (distances * own("beta")).exp().matmul(own("values"))  // [rows, classes]
    return try batch.features.matmul(weights.transposed()) * logitScale + said * own("alpha")
  }

  public func finished(
    _ parameters: ParameterTree, training: [TaskBatch], validation: [TaskBatch], seed: UInt64
  ) throws -> ParameterTree {
    guard settings.search else { return parameters }
    var parameters = parameters
    for task in context.tasks.indices {
      guard let batch = validation.first(where: { $0.task == task }), batch.count > 0 else {
        throw BanyanError(
          .usage, at: "options.search",
          "alpha and beta are chosen on validation pictures, task \(context.tasks[task].name) has none",
          remedy: "Set validationShots to 1 or more.")
      }
      let (alpha, beta) = try chosen(parameters, batch)
      parameters["tasks.\(task).alpha"] = try .full([], alpha, device: context.model.device)
      parameters["tasks.\(task).beta"] = try .full([], beta, device: context.model.device)
    }
    return parameters
  }

  /// The most correct predictions win, then the least cross-entropy, then the smaller `β` and the smaller `α`.
  private func chosen(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> (alpha: Double, beta: Double) {
    try Engine.withoutGradients {
      let keys = try parameters.require("tasks.\(batch.task).keys")
      let values = try parameters.require("tasks.\(batch.task).values")
      let text = try batch.features.matmul(templates(batch.task).transposed()) * logitScale
      let distances = try batch.features.matmul(keys.transposed()) + -1
      var best = (alpha: settings.alpha, beta: settings.beta, correct: -1, loss: Double.infinity)
      for beta in settings.betas {
        let said = try (distances * beta).exp().matmul(values)
        for alpha in settings.alphas {
          let logits = try text + said * alpha
          let correct = try batch.correct(logits)
          guard correct >= best.correct else { continue }
          let loss = try logits.crossEntropy(batch.labels).item()
          if correct > best.correct || loss < best.loss { best = (alpha, beta, correct, loss) }
        }
      }
      return (best.alpha, best.beta)
    }
  }
}
