import BanyanCLIP
import BanyanFoundation
import BanyanStructure
import BanyanTensor

/// A method whose prompts are one unit for each task, for each group of tasks, or for all.
///
/// ``GroupedPromptMethod`` puts the units of a task and of its group side by side; here exactly one serves a task. A
/// conforming type names the unit; paths, random streams, steps and classifiers are the same for all.
protocol UnitPromptMethod: TowerMethod {
  /// What the method is built from.
  var parts: UnitPromptParts { get }
}

/// What every method with one unit of prompts a task is built from.
struct UnitPromptParts: Sendable {
  /// Which tasks have a copy of the unit together.
  enum Copies: Sendable {
    case ofTasks
    case ofGroups(TaskGroups)
    case ofAll
  }

  let context: MethodContext
  /// How prompts come about.
  let unit: any PromptUnit
  let copies: Copies
  /// Both towers under prompts.
  let towers: PromptedTowers
  /// The frozen class weights, where no text prompts are learned.
  let templates: TemplateWeights?

  /// - Parameter templates: Sentences for the frozen text tower; read where the unit prompts no text.
  /// - Throws: A `BanyanError` that names the class name which finds no room beside the prompts, or the sentence that is
  ///   wrong.
  init(_ unit: any PromptUnit, copies: Copies, templates: [String] = [], context: MethodContext) throws {
    self.context = context
    self.unit = unit
    self.copies = copies
    towers = try PromptedTowers(context, textPrompts: unit.textLength)
    self.templates = unit.textLength == 0 ? try TemplateWeights(templates, context: context) : nil
  }

  /// The copies: what their paths begin with, and whom they serve.
  var all: [(path: String, tasks: [Int])] {
    switch copies {
    case .ofTasks: context.tasks.indices.map { ("tasks.\($0)", [$0]) }
    case .ofGroups(let groups): groups.groups.enumerated().map { ("groups.\($0.offset)", $0.element) }
    case .ofAll: [("shared", Array(context.tasks.indices))]
    }
  }

  /// What the paths of a task's copy begin with.
  func path(of task: Int) -> String {
    switch copies {
    case .ofTasks: "tasks.\(task)"
    case .ofGroups(let groups): "groups.\(groups.group(of: task))"
    case .ofAll: "shared"
    }
  }
}

extension UnitPromptMethod {
  var context: MethodContext { parts.context }
  public var readsPixels: Bool { parts.unit.promptsImages }
  public var predictsByMatrix: Bool { !parts.unit.promptsImages }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    try parts.all.reduce(ParameterTree()) { tree, copy in
      try tree.merging(start(for: copy.tasks.map { context.tasks[$0] }, seed: seed).nested(under: copy.path))
    }
  }

  /// A copy serves its tasks.
  public func serves(_ task: Int, path: String) -> Bool { path.hasPrefix("\(parts.path(of: task)).") }

  /// The start of a copy that serves `tasks`, whose order does not matter.
  private func start(for tasks: [PromptTask], seed: UInt64) throws -> ParameterTree {
    let names = tasks.map(\.name).sorted().joined(separator: "\u{1F}")
    var generator = SeededGenerator(seed: seed, label: "tower prompts of \(names)")
    return try parts.unit.start(for: tasks, &generator).mapTensors { try $1.to(device: context.model.device) }
  }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor {
    if let templates = parts.templates { return try templates(task) }
    return try parts.towers.weights(prompts(parameters, of: task), task: task)
  }

  func weights(_ parameters: ParameterTree, task: Int, classes: Range<Int>) throws -> Tensor {
    if let templates = parts.templates {
      return try templates(task).narrowed(0, start: classes.lowerBound, length: classes.count)
    }
    return try parts.towers.weights(prompts(parameters, of: task), task: task, classes: classes)
  }

  func weightsKey(task: Int) -> String {
    parts.templates?.key(task: task) ?? "\(parts.path(of: task)), names \(parts.towers.classSet(of: task))"
  }

  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    guard parts.unit.promptsImages else { return batch.features }
    return try parts.towers.features(prompts(parameters, of: batch.task), batch)
  }

  private func prompts(_ parameters: ParameterTree, of task: Int) throws -> TowerPrompts {
    let copy = parts.path(of: task)
    return try parts.unit.prompts { try parameters.require("\(copy).\($0)") }
  }
}
