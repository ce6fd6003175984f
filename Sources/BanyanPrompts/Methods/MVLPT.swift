import BanyanCLIP
public import BanyanFoundation
public import BanyanTensor

/// Learns one prompt on all tasks first, then goes on with a copy of it for each task apart.
///
/// ``CoOp`` and ``VPT`` start every task from random numbers, ``CoOpMT`` and ``VPTMT`` never let them part; here, for
/// prompts `P` of the text tower, of the image tower or of both,
///
///     stage 1:  P ← argmin Σ_t L_t(P)          // before the first step of the run, on the training pictures
///     stage 2:  P_t ← argmin L_t(P_t), from P_t = P     // or P_G ← argmin Σ_{t in G} L_t(P_G) for a group G of tasks
///     L_t = mean cross-entropy over the classes of task t alone
///
/// The public code multiplies the logits of other tasks' classes by 0, which leaves them in the softmax with weight 1;
/// here they do not enter it. Prompts are `coop` (context vectors [M, d_text]), `vpt` (tokens [M, d_image] at the first
/// layers) or `upt` (both, from one sequence through a small transformer; Zang et al., arXiv:2210.07225). Paper: Shen et
/// al., *Multitask Vision-Language Prompt Tuning*, WACV 2024, arXiv:2211.11720. Adds a task or group `M · d_text`,
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
    /// Whom a copy serves after these steps.
    public var target = Target.task
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

  /// Whom a copy of the prompt serves in the second stage.
  public enum Target: String, NamedChoice {
    /// One task.
    case task
    /// A group of tasks.
    case group
    /// All tasks: the first stage goes on.
    case all
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
      .init("target", "Whom a copy serves after the first stage: a task, a group of tasks, or all."),
      .init("templates", "Sentences with {} for the class name, where vpt's prompts leave the text tower alone."),
    ] + FirstStage.options)
  public static let defaults = Configuration()

  public static func structure(_ configuration: Configuration) -> TaskStructure {
    configuration.target == .group ? .groups : .none
  }

  public static func shared(_ configuration: Configuration) -> Configuration {
    setting(\.target, to: .all, in: configuration)
  }

  let parts: UnitPromptParts
  private let configuration: Configuration

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    let model = context.model.configuration
    let (length, deviation) = (configuration.length, configuration.deviation)
    let unit: any PromptUnit =
      switch configuration.prompts {
      case .coop: try ContextUnit(length: length, deviation: deviation, model: model)
      case .vpt: try ImagePromptUnit(length: length, depth: configuration.depth, model: model)
      case .upt:
        try UnifiedPromptUnit(
          length: length, depth: configuration.depth, width: configuration.width, deviation: deviation, model: model)
      }
    let copies: UnitPromptParts.Copies =
      switch configuration.target {
      case .task: .ofTasks
      case .group: .ofGroups(try context.requireGroups())
      case .all: .ofAll
      }
    parts = try UnitPromptParts(unit, copies: copies, templates: configuration.templates, context: context)
    try configuration.source.validate()
  }

  /// Stage 1: the shared prompt is trained and becomes the start of all that is trained in the run's own steps.
  public func prepared(
    _ parameters: ParameterTree, training: [TaskBatch], seed: UInt64, report: (Int, Int) throws -> Void
  ) throws -> ParameterTree {
    guard configuration.source.steps > 0 else { return parameters }
    let sorted = SortedTasks(context)
    let method = try MVLPT(Self.shared(configuration), context: sorted.context)
    let common = try configuration.source.trained(
      method, from: method.initialParameters(seed: seed), names: sorted.context.tasks.map(\.name),
      training: sorted.batches(training), seed: seed, report: report)
    if configuration.target == .all { return common }
    return try parameters.mapTensors { path, _ in
      // `tasks.<index>.<rest>` and `groups.<index>.<rest>` are what `shared.<rest>` was.
      let rest = path.split(separator: ".", maxSplits: 2).last ?? ""
      return try common.require("shared.\(rest)").clone()
    }
  }
}
