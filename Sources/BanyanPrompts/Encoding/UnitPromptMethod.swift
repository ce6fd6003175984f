import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// A method whose prompts are one unit for each task, or one for all.
///
/// ``GroupedPromptMethod`` puts the units of a task and of its group side by side; here exactly one serves a task. A
/// conforming type names the unit; paths, random streams, steps and classifiers are the same for all.
protocol UnitPromptMethod: TowerMethod {
  /// How prompts come about.
  var unit: any PromptUnit { get }
  /// Both towers under prompts.
  var towers: PromptedTowers { get }
  /// The frozen class weights, where no text prompts are learned.
  var templates: TemplateWeights? { get }
  /// Whether one copy of the unit serves all tasks.
  var isShared: Bool { get }
}

extension UnitPromptMethod {
  public var readsPixels: Bool { unit.promptsImages }
  public var predictsByMatrix: Bool { !unit.promptsImages }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    if isShared { return try start(for: context.tasks, seed: seed).nested(under: "shared") }
    return try context.tasks.enumerated().reduce(ParameterTree()) { tree, task in
      try tree.merging(start(for: [task.element], seed: seed).nested(under: "tasks.\(task.offset)"))
    }
  }

  /// The start of a copy that serves `tasks`, whose order does not matter.
  func start(for tasks: [PromptTask], seed: UInt64) throws -> ParameterTree {
    let names = tasks.map(\.name).sorted().joined(separator: "\u{1F}")
    var generator = SeededGenerator(seed: seed, label: "tower prompts of \(names)")
    return try unit.start(for: tasks, &generator).mapTensors { try $1.to(device: context.model.device) }
  }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor {
    if let templates { return try templates(task) }
    return try towers.weights(prompts(parameters, of: task), task: task)
  }

  func weightsKey(task: Int) -> String {
    if let templates { return templates.key(task: task) }
    return isShared ? "names \(towers.classSet(of: task))" : "task \(task)"
  }

  func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    guard unit.promptsImages else { return batch.features }
    return try towers.features(prompts(parameters, of: batch.task), batch)
  }

  private func prompts(_ parameters: ParameterTree, of task: Int) throws -> TowerPrompts {
    let copy = isShared ? "shared" : "tasks.\(task)"
    return try unit.prompts { try parameters.require("\(copy).\($0)") }
  }
}
