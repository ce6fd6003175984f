/// The training loss of every task over the steps of one seed.
public struct LossCurve: Codable, Sendable, Equatable {
  /// The recorded steps, ascending.
  public var steps: [Int]
  /// The loss at each recorded step, by task.
  public var tasks: [String: [Double]]

  /// Creates a curve; by default an empty one.
  public init(steps: [Int] = [], tasks: [String: [Double]] = [:]) {
    self.steps = steps
    self.tasks = tasks
  }

  /// At most `count` of the recorded steps, evenly spread, the first and the last among them (for `count` ≥ 2).
  public func downsampled(to count: Int) -> LossCurve {
    guard count > 0, steps.count > count else { return count > 0 ? self : LossCurve() }
    let kept = (0..<count).map { count == 1 ? steps.count - 1 : $0 * (steps.count - 1) / (count - 1) }
    return LossCurve(
      steps: kept.map { steps[$0] },
      tasks: tasks.mapValues { losses in kept.filter(losses.indices.contains).map { losses[$0] } })
  }
}
