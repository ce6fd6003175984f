import BanyanCLIP
public import BanyanTensor

/// Learns the words around a class name as free vectors, for each task apart.
///
/// ``ZeroShot`` writes the prompt by hand; here the `M` context vectors `v` are trained, shared by all classes of a task:
///
///     t_c = [v₁] … [v_M] [class_c] .          // [classes, tokens, width]
///     w_c = normalise( text(t_c) )            // [classes, projection]
///     L_t = mean cross-entropy of exp(s) · x wᵀ
///
/// Paper: Zhou et al., *Learning to Prompt for Vision-Language Models*, IJCV 2022, arXiv:2109.01134.
/// Adds `M · width` parameters a task (times the classes where contexts are class-specific); touches no backbone path.
public struct CoOp: TextPromptMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// The free vectors.
    public var context = ContextSettings()
  }

  public static let descriptor = MethodDescriptor(
    name: "coop", title: "CoOp",
    summary: "One learned context per task; tasks share nothing.",
    paper: "Zhou et al., Learning to Prompt for Vision-Language Models, IJCV 2022",
    options: ContextSettings.options)
  public static let defaults = Configuration()

  let encoder: PromptEncoder
  public let logitScale: Double
  private let settings: ContextSettings
  private let context: MethodContext

  public init(_ configuration: Configuration, context: MethodContext) throws {
    settings = configuration.context
    self.context = context
    encoder = try PromptEncoder(context, position: configuration.context.position)
    logitScale = context.model.logitScale
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    for (index, task) in context.tasks.enumerated() {
      let classes = settings.classSpecific ? task.classNames.count : nil
      tree[path(index)] = try settings.start(for: [task], classes: classes, context: context, seed: seed)
    }
    return tree
  }

  func contexts(of task: Int) -> [String] { [path(task)] }

  func objective(_ batch: TaskBatch, _ weights: [Tensor]) throws -> Tensor { try crossEntropy(batch, weights[0]) }

  public func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] {
    try weights(of: Array(context.tasks.indices), parameters).map { TaskClassifier($0[0]) }
  }

  private func path(_ task: Int) -> String { "tasks.\(task).context" }
}
