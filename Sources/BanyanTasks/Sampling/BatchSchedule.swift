import BanyanFoundation

/// Which samples of one task each training step takes: a pure function of (seed, label, epoch, step).
///
/// An epoch goes through the task in passes. A pass is a fresh shuffle cut into batches; its last batch may be short
/// and is kept. A task with fewer batches than the epoch has steps begins another pass, so that small tasks keep pace
/// with the largest.
public struct BatchSchedule: Sendable, Equatable {
  /// How many samples the task has.
  public let count: Int
  /// How many samples a batch has; at most ``count``.
  public let batchSize: Int
  /// How many batches a pass has: ⌈count / batchSize⌉.
  public let batchesPerPass: Int
  private let seed: UInt64
  private let label: String

  /// Creates the schedule of `count` samples; `label`, the task's name, separates the shuffles of tasks with one seed.
  ///
  /// A batch size above `count` stands for `count`.
  /// - Throws: A `BanyanError` of kind `usage` where `count` or `batchSize` is less than 1.
  public init(count: Int, batchSize: Int, seed: UInt64, label: String) throws {
    guard count >= 1 else {
      throw BanyanError(.usage, at: label, "expected at least 1 sample to make batches of, found \(count)")
    }
    guard batchSize >= 1 else {
      throw BanyanError(.usage, at: "batch size", "expected at least 1, found \(batchSize)")
    }
    self.count = count
    self.batchSize = min(batchSize, count)
    batchesPerPass = count / self.batchSize + (count % self.batchSize == 0 ? 0 : 1)
    self.seed = seed
    self.label = label
  }

  /// The indices, in 0 ..< count, of one batch; empty where `epoch` or `step` is negative.
  ///
  /// It shuffles a pass anew for each call; ``batches(epoch:steps:)`` does so once a pass.
  public func indices(epoch: Int, step: Int) -> [Int] {
    guard epoch >= 0, step >= 0 else { return [] }
    let order = permutation(epoch: epoch, pass: step / batchesPerPass)
    return Array(cut(order, step % batchesPerPass))
  }

  /// The batches of the steps 0 ..< `steps` of an epoch; element i equals `indices(epoch: epoch, step: i)`.
  public func batches(epoch: Int, steps: Int) -> [[Int]] {
    guard epoch >= 0, steps > 0 else { return [] }
    var order: [Int] = []
    return (0..<steps).map { step in
      if step % batchesPerPass == 0 { order = permutation(epoch: epoch, pass: step / batchesPerPass) }
      return Array(cut(order, step % batchesPerPass))
    }
  }

  private func permutation(epoch: Int, pass: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, label: "batches\u{0}\(label)\u{0}\(epoch)\u{0}\(pass)")
    return generator.shuffled(Array(0..<count))
  }

  /// The batch at `position` of a pass; the sums cannot overflow, since the start is below the count.
  private func cut(_ order: [Int], _ position: Int) -> ArraySlice<Int> {
    let start = position * batchSize
    return order[start..<(start + min(batchSize, count - start))]
  }
}
