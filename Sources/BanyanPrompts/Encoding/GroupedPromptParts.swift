import BanyanCLIP
import BanyanFoundation
import BanyanStructure
import BanyanTensor

/// What may be set of every method whose prompts belong to groups of tasks and to tasks.
protocol GroupedPromptSettings {
  /// Prompt tokens at a layer.
  var length: Int { get }
  /// The first so many layers; `nil` for all.
  var depth: Int? { get }
  /// Standard deviation of what starts at random.
  var deviation: Double { get }
  /// Whether every task has prompts of its own beside its group's.
  var taskSpecific: Bool { get set }
}

extension GroupedPromptSettings {
  /// What every such method offers.
  static var commonOptions: [MethodDescriptor.Option] {
    [
      .init("length", "Prompt tokens at a layer (b)."),
      .init("depth", "The first so many layers have prompts; null for all."),
      .init("deviation", "Standard deviation of what starts at random."),
      .init("taskSpecific", "Whether every task has prompts of its own beside those of its group."),
    ]
  }
}

/// What every method with grouped prompts is built from, checked.
struct GroupedPromptParts: Sendable {
  let context: MethodContext
  let groups: TaskGroups
  let hasTaskSpecific: Bool
  let depth: PromptDepth
  let towers: PromptedTowers

  /// - Throws: A `BanyanError` that names the setting which fits neither the towers nor the class names, or the groups that
  ///   are missing.
  init(_ settings: some GroupedPromptSettings, context: MethodContext) throws {
    self.context = context
    groups = try context.requireGroups()
    hasTaskSpecific = settings.taskSpecific
    depth = try PromptDepth(
      count: settings.length, depth: settings.depth, context: context, keys: ("length", "depth"))
    towers = try PromptedTowers(context, textPrompts: settings.length * (settings.taskSpecific ? 2 : 1))
    guard settings.deviation > 0, settings.deviation.isFinite else {
      throw BanyanError(.usage, at: "deviation", "expected a positive number, found \(settings.deviation)")
    }
  }

  /// Each tower's name in paths, how many of its layers have prompts, and how wide they are.
  var stacks: [(name: String, layers: Int, width: Int)] {
    let model = context.model.configuration
    return [("text", depth.textLayers, model.text.width), ("image", depth.imageLayers, model.image.width)]
  }

  /// The prompts of both towers, where `body` makes those of one layer.
  func prompts(_ body: (_ tower: String, _ layer: Int) throws -> Tensor) throws -> TowerPrompts {
    func layers(_ tower: String, _ count: Int) throws -> [Int: Tensor] {
      try Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, try body(tower, $0)) })
    }
    return TowerPrompts(text: try layers("text", depth.textLayers), image: try layers("image", depth.imageLayers))
  }
}
