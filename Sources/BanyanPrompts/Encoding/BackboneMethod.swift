import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// A method that puts weights of its own in the place of the backbone's: one set for all tasks, or one for each task.
///
/// ``TowerMethod`` leaves open how class weights and features come about; here both are what the changed towers give.
/// Class names stand in sentences written by hand, which go through the changed text tower in every step.
protocol BackboneMethod: TowerMethod {
  var backbone: AdaptedBackbone { get }

  /// The starting parameters of one set, by paths relative to it.
  ///
  /// - Parameter label: The names of the tasks that the set serves.
  func start(_ label: String, seed: UInt64) throws -> ParameterTree

  /// The weights of `tower` that differ from the frozen ones, by the backbone's paths.
  ///
  /// - Parameter own: A parameter of the set by its relative path.
  func changed(_ tower: String, _ own: (String) throws -> Tensor) throws -> ParameterTree
}

extension BackboneMethod {
  public var readsPixels: Bool { backbone.towers != .text }
  public var predictsByMatrix: Bool { backbone.towers == .text }

  public func initialParameters(seed: UInt64) throws -> ParameterTree {
    try backbone.units.reduce(ParameterTree()) { tree, unit in
      let own = try start(unit.label, seed: seed).mapTensors { try $1.to(device: context.model.device) }
      return tree.merging(own.nested(under: unit.path))
    }
  }

  func weights(_ parameters: ParameterTree, task: Int) throws -> Tensor {
    try backbone.weights(task: task) { try changed($0, parameters, task) }
  }

  func weights(_ parameters: ParameterTree, task: Int, classes: Range<Int>) throws -> Tensor {
    try backbone.weights(task: task, classes: classes) { try changed($0, parameters, task) }
  }

  func weightsKey(task: Int) -> String { backbone.key(task: task) }

  public func features(_ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    try backbone.features(batch) { try changed($0, parameters, batch.task) }
  }

  private func changed(_ tower: String, _ parameters: ParameterTree, _ task: Int) throws -> ParameterTree {
    try changed(tower) { try parameters.require("\(backbone.unit(of: task)).\($0)") }
  }
}
