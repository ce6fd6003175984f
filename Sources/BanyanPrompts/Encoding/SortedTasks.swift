import BanyanTensor

/// A run's tasks in the order of their names, their classes too, with pictures relabelled to match.
///
/// What is computed on them is the same to the last bit whatever the order of the run: sums are taken in one order.
struct SortedTasks {
  /// The same tasks, sorted.
  let context: MethodContext
  /// The sorted task of each task of the run.
  private let places: [Int]
  /// For each task of the run, the sorted class of each class.
  private let classes: [[Int]]

  init(_ context: MethodContext) {
    let tasks = context.tasks
    let order = Self.order(tasks.map(\.name))
    var sorted = context
    sorted.tasks = order.map { index in
      var task = tasks[index]
      task.classNames = Self.order(task.classNames).map { tasks[index].classNames[$0] }
      return task
    }
    self.context = sorted
    places = Self.inverse(order)
    classes = tasks.map { Self.inverse(Self.order($0.classNames)) }
  }

  /// The run's batches as batches of the sorted tasks, in their order.
  func batches(_ batches: [TaskBatch]) throws -> [TaskBatch] {
    try batches.map { batch in
      var own = batch
      own.task = places[batch.task]
      own.labels = try Tensor.indices(classes[batch.task], device: batch.labels.device).gathered(0, batch.labels)
      return own
    }.sorted { $0.task < $1.task }
  }

  private static func order(_ names: [String]) -> [Int] {
    names.indices.sorted { (names[$0], $0) < (names[$1], $1) }
  }

  private static func inverse(_ order: [Int]) -> [Int] {
    order.indices.sorted { order[$0] < order[$1] }
  }
}
