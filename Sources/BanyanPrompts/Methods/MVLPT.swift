import BanyanCLIP
public import BanyanFoundation
public import BanyanTensor

/// Learns one prompt on all tasks first, then goes on with a copy of it for each task apart.
///
/// ``CoOp`` and ``VPT`` start every task from random numbers, ``CoOpMT`` and ``VPTMT`` never let them part; here, for
/// prompts `P` of the text tower, of the image tower or of both,
///
///     stage 1:  P ← argmin Σ_t L_t(P)          // before the first step of the run, on the training pictures
///     stage 2:  P_t ← argmin L_t(P_t), from P_t = P
///     L_t = mean cross-entropy over the classes of task t alone
///
/// The public code multiplies the logits of other tasks' classes by 0, which leaves them in the softmax with weight 1;
/// here they do not enter it. Prompts are `coop` (context vectors [M, d_text]), `vpt` (tokens [M, d_image] at the first
/// layers) or `upt` (both, from one sequence through a small transformer; Zang et al., arXiv:2210.07225). Paper: Shen et
/// al., *Multitask Vision-Language Prompt Tuning*, WACV 2024, arXiv:2211.11720. Adds a task `M · d_text`,
/// `depth · M · d_image`, or `(1 + depth) M w + 12 w² + 13 w + (w + 1)(d_text + d_image)` parameters for a sequence of
/// width `w`; touches no backbone path.
public struct MVLPT: UnitPromptMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// Which prompts.
    public var prompts = Prompts.upt
    /// `M`, prompt tokens of a tower at a layer.
    public var length = 16
    /// The first so many layers of the image tower have prompts; `null` for all.
    @Nullable public var depth: Int? = 1
    /// `w`, width of the sequence that both towers' prompts come from.
    public var width = 128
    /// Standard deviation of the random start of contexts and of the sequence.
    public var deviation = 0.02
    /// The steps on all tasks.
    public var source = FirstStage()
    /// Whether each task goes on with a copy of its own.
    public var taskSpecific = true
    /// Sentences with `{}` for the class name, where prompts are those of the image tower alone.
    public var templates = ["a photo of a {}."]
  }

  /// Which prompts are learned.
  public enum Prompts: String, NamedChoice {
    /// Context vectors of the text tower.
    case coop
    /// Tokens of the image tower.
    case vpt
    /// Both, from one sequence through a small transformer.
    case upt
  }

  public static let descriptor = MethodDescriptor(
    name: "mvlpt", title: "MVLPT",
    summary: "One prompt learned on all tasks, then a copy of it for each task.",
    paper: "Shen et al., Multitask Vision-Language Prompt Tuning, WACV 2024",
    options: [
      .init("prompts", "coop: of the text tower; vpt: of the image tower; upt: of both, from one sequence."),
      .init("length", "Prompt tokens of a tower at a layer."),
      .init("depth", "The first so many layers of the image tower have prompts; null for all."),
      .init("width", "Width of the sequence that upt's prompts come from."),
      .init("deviation", "Standard deviation of the random start of contexts and of upt's sequence."),
      .init("taskSpecific", "Whether each task goes on with a copy of its own after the first stage."),
      .init("templates", "Sentences with {} for the class name, where vpt's prompts leave the text tower alone."),
    ] + FirstStage.options)
  public static let defaults = Configuration()

  public static func shared(_ configuration: Configuration) -> Configuration {
    var copy = configuration
    copy.taskSpecific = false
    return copy
  }

  let context: MethodContext
  let unit: any PromptUnit
  let towers: PromptedTowers
  let templates: TemplateWeights?
  var isShared: Bool { !configuration.taskSpecific }
  private let configuration: Configuration

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    self.context = context
    let model = context.model.configuration
    let (length, deviation) = (configuration.length, configuration.deviation)
    unit =
      switch configuration.prompts {
      case .coop: try ContextUnit(length: length, deviation: deviation, model: model)
      case .vpt: try ImagePromptUnit(length: length, depth: configuration.depth, model: model)
      case .upt:
        try UnifiedPromptUnit(
          length: length, depth: configuration.depth, width: configuration.width, deviation: deviation, model: model)
      }
    towers = try PromptedTowers(context, textPrompts: unit.textLength)
    templates =
      configuration.prompts == .vpt ? try TemplateWeights(configuration.templates, context: context) : nil
    try configuration.source.validate()
  }

  /// Stage 1: the shared prompt is trained and becomes the start of all that is trained in the run's own steps.
  public func prepared(_ parameters: ParameterTree, training: [TaskBatch], seed: UInt64) throws -> ParameterTree {
    guard configuration.source.steps > 0 else { return parameters }
    var whole = configuration
    whole.taskSpecific = false
    let sorted = SortedTasks(context)
    let method = try MVLPT(whole, context: sorted.context)
    let common = try configuration.source.trained(
      method, from: method.initialParameters(seed: seed), names: sorted.context.tasks.map(\.name),
      training: sorted.batches(training), seed: seed)
    if isShared { return common }
    return try parameters.mapTensors { path, _ in
      // `tasks.<index>.<rest>` is what `shared.<rest>` was.
      let rest = path.split(separator: ".", maxSplits: 2).last ?? ""
      return try common.require("shared.\(rest)").clone()
    }
  }
}
