import BanyanFoundation
public import BanyanTensor

/// A way to adapt a frozen CLIP to several tasks by learning few parameters.
///
/// A method is a value without state: it is made from a configuration and a context, and its parameters are passed to
/// every function. It says which parameters it learns, what a step's losses and gradients are, and what classifiers come
/// out; it never sees an optimizer, a file or a test picture.
///
/// A new method is one file in `Methods/` and one line in ``MethodCatalog``.
public protocol PromptMethod: Sendable {
  /// What may be set, with its defaults.
  associatedtype Configuration: Codable & Sendable & Equatable

  /// Name, paper and options.
  static var descriptor: MethodDescriptor { get }
  /// The configuration where nothing is set.
  static var defaults: Configuration { get }
  /// What the context must say about how the tasks belong together, under a configuration.
  static func structure(_ configuration: Configuration) -> TaskStructure
  /// The configuration under which the method is one model for all tasks, by whose gradients tasks are compared.
  static func shared(_ configuration: Configuration) -> Configuration

  /// Builds the method for the tasks of `context`.
  init(_ configuration: Configuration, context: MethodContext) throws

  /// `exp(logit_scale)` of the frozen model.
  var logitScale: Double { get }

  /// Whether batches must carry pixels: where something of the image tower is learned.
  var readsPixels: Bool { get }

  /// Whether a classifier's matrix on frozen features is all that prediction needs.
  ///
  /// Where it is false, `logits(_:_:_:)` is the method's own and a saved run is predicted by the method.
  var predictsByMatrix: Bool { get }

  /// The parameters before the first step; a pure function of the seed and the names of the tasks.
  func initialParameters(seed: UInt64) throws -> ParameterTree

  /// The starting parameters with what is read off the training pictures, such as the keys of a cache.
  ///
  /// - Parameters:
  ///   - parameters: Those that `initialParameters(seed:)` gave.
  ///   - training: All training pictures, one batch for each task.
  ///   - seed: The run's seed.
  ///   - report: Called with the steps done and the steps in all, where there are steps; an error that it throws ends them.
  func prepared(
    _ parameters: ParameterTree, training: [TaskBatch], seed: UInt64, report: (Int, Int) throws -> Void
  ) throws -> ParameterTree

  /// Which of `initialParameters(seed:)` and of the backbone (below `clip`) are trained.
  var selection: ParameterSelection { get }

  /// Whether the objective of the task at `task` can depend on the parameter at `path`.
  ///
  /// Parameters that serve the same tasks are what those tasks share. Where it is false the gradient is zero.
  func serves(_ task: Int, path: String) -> Bool

  /// Whether `finished(_:training:validation:seed:)` needs validation pictures of every task.
  var needsValidation: Bool { get }

  /// The objective of each batch's task, without gradients, in the order of `batches`.
  func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double]

  /// The objectives of one step and the gradient of their sum.
  func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome

  /// The objectives and the gradient of each one apart, in the order of `batches`.
  func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome]

  /// What is left to fit when the steps are over; adds to the parameters.
  ///
  /// - Parameters:
  ///   - parameters: What the steps have learned, with what they did not touch.
  ///   - training: All training pictures, one batch for each task.
  ///   - validation: Pictures that no step has seen, for choices.
  ///   - seed: The run's seed.
  func finished(_ parameters: ParameterTree, training: [TaskBatch], validation: [TaskBatch], seed: UInt64) throws
    -> ParameterTree

  /// A batch's features as the method sees its pictures, with a graph where parameters are leaves.
  ///
  /// - Returns: [rows, projection], of length one.
  func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor

  /// One classifier per task of the context.
  func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier]

  /// The texts whose unit features' normalised mean is what predicts a task.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that says why a task's classifier is no such mean.
  func sentences(_ parameters: ParameterTree, of task: Int) throws -> [PromptSentence]

  /// The logits of a batch under one of its task's matrices.  // [rows, classes]
  func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor
}

/// What a method must know about how tasks belong together.
public enum TaskStructure: String, Sendable, Codable {
  /// Nothing.
  case none
  /// A tree whose leaves are the tasks.
  case tree
  /// A partition of the tasks.
  case groups
}

extension PromptMethod {
  /// No tree and no groups.
  public static func structure(_ configuration: Configuration) -> TaskStructure { .none }

  /// The configuration as it is.
  public static func shared(_ configuration: Configuration) -> Configuration { configuration }

  /// `configuration` with one of its values replaced.
  static func setting<Value>(
    _ key: WritableKeyPath<Configuration, Value>, to value: Value, in configuration: Configuration
  ) -> Configuration {
    var copy = configuration
    copy[keyPath: key] = value
    return copy
  }

  /// What lies below `tasks.<index>` serves that task, everything else all tasks.
  public func serves(_ task: Int, path: String) -> Bool {
    let parts = path.split(separator: ".", maxSplits: 2)
    return parts.first != "tasks" || parts.count < 2 || parts[1] == String(task)
  }

  /// Cached features serve.
  public var readsPixels: Bool { false }

  /// Those of the frozen image tower.
  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor { batch.features }

  /// A matrix serves.
  public var predictsByMatrix: Bool { true }

  /// Nothing is read off the pictures.
  public func prepared(
    _ parameters: ParameterTree, training: [TaskBatch], seed: UInt64, report: (Int, Int) throws -> Void
  ) throws -> ParameterTree { parameters }

  /// The start with nobody told of its steps.
  public func prepared(_ parameters: ParameterTree, training: [TaskBatch], seed: UInt64) throws -> ParameterTree {
    try prepared(parameters, training: training, seed: seed, report: { _, _ in })
  }

  /// Throws: a method says so where it predicts with texts.
  public func sentences(_ parameters: ParameterTree, of task: Int) throws -> [PromptSentence] {
    throw BanyanError(.usage, at: Self.descriptor.title, "does not predict with a mean of texts")
  }

  /// `exp(logit_scale) · x wᵀ` for the cached unit features `x`.
  public func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    try batch.features.matmul(weights.transposed()) * logitScale
  }

  /// All of the method's own parameters are trained and all of the backbone's are frozen.
  public var selection: ParameterSelection {
    ParameterSelection([.init("clip.**", .frozen), .init("**", .trainable)])
  }

  /// The objectives that `taskGradients(_:_:)` gives.
  public func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
    try taskGradients(parameters, batches).flatMap(\.objectives)
  }

  /// The sum of `taskGradients(_:_:)`.
  public func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
    let parts = try taskGradients(parameters, batches)
    guard let first = parts.first else { return StepOutcome(objectives: [], gradients: ParameterTree()) }
    let sum = try first.gradients.mapTensors { path, tensor in
      try parts.dropFirst().reduce(tensor) { try $0 + $1.gradients.require(path) }
    }
    return StepOutcome(objectives: parts.flatMap(\.objectives), gradients: sum)
  }

  /// Nothing is fitted on validation pictures.
  public var needsValidation: Bool { false }

  /// Nothing is left to fit.
  public func finished(
    _ parameters: ParameterTree, training: [TaskBatch], validation: [TaskBatch], seed: UInt64
  ) throws -> ParameterTree { parameters }
}

/// What one step gives: objectives by batch and gradients by path.
public struct StepOutcome: Sendable {
  /// The objective of each batch's task.
  public var objectives: [Double]
  /// The gradient of their sum, with the paths of the trained parameters.
  public var gradients: ParameterTree

  /// Creates an outcome.
  public init(objectives: [Double], gradients: ParameterTree) {
    self.objectives = objectives
    self.gradients = gradients
  }
}
