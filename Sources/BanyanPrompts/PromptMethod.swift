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
  /// Whether the context must carry a tree of tasks.
  static var needsTree: Bool { get }

  /// Builds the method for the tasks of `context`.
  init(_ configuration: Configuration, context: MethodContext) throws

  /// The parameters before the first step; a pure function of the seed and the names of the tasks.
  func initialParameters(seed: UInt64) throws -> ParameterTree

  /// Which of ``initialParameters(seed:)`` and of the backbone (below `clip`) are trained.
  var selection: ParameterSelection { get }

  /// Whether ``finished(_:validation:seed:)`` needs validation pictures of every task.
  var needsValidation: Bool { get }

  /// The objective of each batch's task, without gradients, in the order of `batches`.
  func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double]

  /// The objectives of one step and the gradient of their sum.
  func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome

  /// The objectives and the gradient of each one apart, in the order of `batches`.
  func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome]

  /// What is left to fit when training is over, on validation pictures; adds to the parameters.
  func finished(_ parameters: ParameterTree, validation: [TaskBatch], seed: UInt64) throws -> ParameterTree

  /// One classifier per task of the context.
  func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier]
}

extension PromptMethod {
  /// No tree.
  public static var needsTree: Bool { false }

  /// All of the method's own parameters are trained and all of the backbone's are frozen.
  public var selection: ParameterSelection {
    ParameterSelection([.init("clip.**", .frozen), .init("**", .trainable)])
  }

  /// Nothing is fitted on validation pictures.
  public var needsValidation: Bool { false }

  /// Nothing is left to fit.
  public func finished(_ parameters: ParameterTree, validation: [TaskBatch], seed: UInt64) throws -> ParameterTree {
    parameters
  }
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
