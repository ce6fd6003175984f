public import BanyanTensor

/// Pictures of one task with their labels, as unit features of the frozen image tower.
public struct TaskBatch: Sendable {
  /// Which task of the run.
  public var task: Int
  /// [rows, projection], each of length one.
  public var features: Tensor
  /// [rows], indices into the task's class names.
  public var labels: Tensor

  /// Creates a batch.
  public init(task: Int, features: Tensor, labels: Tensor) {
    self.task = task
    self.features = features
    self.labels = labels
  }

  /// The rows that `indices` names, in that order.
  public func rows(_ indices: [Int]) throws -> TaskBatch {
    let index = try Tensor.indices(indices, device: features.device)
    return TaskBatch(task: task, features: try features.gathered(0, index), labels: try labels.gathered(0, index))
  }

  /// How many pictures there are.
  public var count: Int { features.extent(0) }
}
