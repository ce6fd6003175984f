import BanyanFoundation
public import BanyanTensor

/// Pictures of one task with their labels, as unit features of the frozen image tower.
public struct TaskBatch: Sendable {
  /// Which task of the run.
  public var task: Int
  /// [rows, projection], each of length one.
  public var features: Tensor
  /// [rows], indices into the task's class names.
  public var labels: Tensor
  /// The pictures themselves, for methods that learn something of the image tower.
  public var pictures: Pictures?

  /// Rows of a source of pixels.
  public struct Pictures: Sendable {
    /// Where the pixels are.
    public var source: any PixelSource
    /// Which of its pictures, in the order of the batch.
    public var rows: [Int]

    /// Rows of `source`.
    public init(_ source: any PixelSource, rows: [Int]) {
      self.source = source
      self.rows = rows
    }
  }

  /// Creates a batch.
  public init(task: Int, features: Tensor, labels: Tensor, pictures: Pictures? = nil) {
    self.task = task
    self.features = features
    self.labels = labels
    self.pictures = pictures
  }

  /// The batch's pixels.  // [rows, 3, side, side]
  ///
  /// - Throws: A `BanyanError` where the batch carries none, or where a picture cannot be read.
  public func pixels() throws -> Tensor {
    guard let pictures else {
      throw BanyanError(
        .failed, at: "batch of task \(task)", "the method reads pixels and the batch has features alone")
    }
    return try pictures.source.pixels(pictures.rows)
  }

  /// The rows that `indices` names, in that order.
  public func rows(_ indices: [Int]) throws -> TaskBatch {
    let index = try Tensor.indices(indices, device: features.device)
    return TaskBatch(
      task: task, features: try features.gathered(0, index), labels: try labels.gathered(0, index),
      pictures: pictures.map { own in Pictures(own.source, rows: indices.map { own.rows[$0] }) })
  }

  /// How many pictures there are.
  public var count: Int { features.extent(0) }
}
