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
protocol GroupedPromptMethod: TowerMethod where Configuration: GroupedPromptSettings {
  var parts: GroupedPromptParts { get }

  /// The starting parameters of one unit, by paths relative to it.
  ///
  /// - Parameter generator: The unit's own stream of random numbers.
  func start(_ generator: inout SeededGenerator) throws -> ParameterTree

  /// The tokens of a unit, from its parameters by relative path.
  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts
}

extension GroupedPromptMethod {
  public static func structure(_ configuration: Configuration) -> TaskStructure { .groups }
  public static func shared(_ configuration: Configuration) -> Configuration {
    setting(\.taskSpecific, to: false, in: configuration)
  }

  public var readsPixels: Bool { true }
  var context: MethodContext { parts.context }
  private var groups: TaskGroups { parts.groups }
  private var hasTaskSpecific: Bool { parts.hasTaskSpecific }

  /// A group of one task is that task's own unit, where tasks have units.
  private func hasUnit(group: Int) -> Bool { !hasTaskSpecific || groups.groups[group].count > 1 }

  private func units(of task: Int) -> [String] {
    let group = groups.group(of: task)
    return (hasUnit(group: group) ? ["groups.\(group)"] : []) + (hasTaskSpecific ? ["tasks.\(task)"] : [])
  }

  /// A unit serves its group's tasks, or its task.
  public func serves(_ task: Int, path: String) -> Bool { units(of: task).contains { path.hasPrefix("\($0).") } }

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
    try parts.towers.weights(prompts(parameters, of: task), task: task)
  }

  func weights(_ parameters: ParameterTree, task: Int, classes: Range<Int>) throws -> Tensor {
    try parts.towers.weights(prompts(parameters, of: task), task: task, classes: classes)
  }

  func weightsKey(task: Int) -> String {
    hasTaskSpecific ? "task \(task)" : "group \(groups.group(of: task)), names \(parts.towers.classSet(of: task))"
  }

  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    try parts.towers.features(prompts(parameters, of: batch.task), batch)
  }
}
