import BanyanCLIP
import BanyanFoundation
import BanyanStructure
import BanyanTensor

/// A method with prompts for both towers, learned for every group of tasks, for every task, or for both.
///
/// A conforming type says what one unit of prompts is (its parameters and the tokens they make). A group's unit learns from
/// the losses of all its tasks, a task's from its own; where both are there, the group's tokens stand first:
///
///     prompts(t) = [P_group(t), P_t]  at every layer
///
/// Paper: Xin et al., *MmAP*, AAAI 2024, equations 11 and 12.
protocol GroupedPromptMethod: TowerMethod {
  var towers: PromptedTowers { get }
  var groups: TaskGroups { get }
  var hasTaskSpecific: Bool { get }

  /// The starting parameters of one unit, by paths relative to it.
  ///
  /// - Parameter generator: The unit's own stream of random numbers.
  func start(_ generator: inout SeededGenerator) throws -> ParameterTree

  /// The tokens of a unit, from its parameters by relative path.
  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts
}

extension GroupedPromptMethod {
  public static var structure: TaskStructure { .groups }
  public var readsPixels: Bool { true }

  /// A group of one task is that task's own unit, where tasks have units.
  private func hasUnit(group: Int) -> Bool { !hasTaskSpecific || groups.groups[group].count > 1 }

  private func units(of task: Int) -> [String] {
    let group = groups.group(of: task)
    return (hasUnit(group: group) ? ["groups.\(group)"] : []) + (hasTaskSpecific ? ["tasks.\(task)"] : [])
  }

  private func prompts(_ parameters: ParameterTree, of task: Int) throws -> TowerPrompts {
    let parts = try units(of: task).map { unit in try prompts { try parameters.require("\(unit).\($0)") } }
    return try parts.dropFirst().reduce(parts[0]) { try $0.followed(by: $1) }
  }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    func add(_ unit: String, _ tasks: [Int], _ kind: String) throws {
      let names = tasks.map { context.tasks[$0].name }.sorted().joined(separator: "\u{1F}")
      var generator = SeededGenerator(seed: seed, label: "\(kind) prompts of \(names)")
      let own = try start(&generator).mapTensors { try $1.to(device: context.model.device) }
      tree = tree.merging(own.nested(under: unit))
    }
    for (index, tasks) in groups.groups.enumerated() where hasUnit(group: index) {
      try add("groups.\(index)", tasks, "group")
    }
    for task in context.tasks.indices where hasTaskSpecific { try add("tasks.\(task)", [task], "task") }
    return tree
  }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor {
    try towers.weights(prompts(parameters, of: task), task: task)
  }

  func weightsKey(task: Int) -> String {
    hasTaskSpecific ? "task \(task)" : "group \(groups.group(of: task)), names \(towers.classSet(of: task))"
  }

  func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    try towers.features(prompts(parameters, of: batch.task), batch)
  }
}

/// How many prompt tokens stand at how many layers of both towers.
struct PromptDepth {
  let count: Int
  let textLayers: Int
  let imageLayers: Int

  /// - Parameter depth: The first so many layers of each tower; `nil` for all.
  init(count: Int, depth: Int?, context: MethodContext, keys: (count: String, depth: String)) throws {
    let configuration = context.model.configuration
    let deepest = max(configuration.text.layers, configuration.image.layers)
    let room = configuration.contextLength - 4
    guard (1...max(1, room)).contains(count) else {
      throw BanyanError(.usage, at: keys.count, "expected 1 to \(max(1, room)), found \(count)")
    }
    if let depth, !(1...deepest).contains(depth) {
      throw BanyanError(.usage, at: keys.depth, "expected 1 to \(deepest), found \(depth)")
    }
    self.count = count
    textLayers = min(depth ?? deepest, configuration.text.layers)
    imageLayers = min(depth ?? deepest, configuration.image.layers)
  }

  /// The layers of the deeper tower.
  var layers: Int { max(textLayers, imageLayers) }
}
