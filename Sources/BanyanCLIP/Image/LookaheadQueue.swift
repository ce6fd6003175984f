import BanyanFoundation
import Foundation

/// Items that workers fill in any order and one consumer takes in order; never more than `window` of them are begun
/// and not yet taken.
final class LookaheadQueue<Item: Sendable>: @unchecked Sendable {
  // Every variable below is read and written with `condition` locked.
  private let condition = NSCondition()
  private let count: Int
  private let window: Int
  private var next = 0
  private var taken = 0
  private var ready: [Int: Result<Item, BanyanError>] = [:]
  private var isStopped = false

  init(count: Int, window: Int) {
    self.count = count
    self.window = window
  }

  /// Prepares items until none is left or the queue is stopped; run by each worker.
  func work(_ prepare: (Int) -> Result<Item, BanyanError>) {
    while let index = claim() {
      let result = prepare(index)
      condition.lock()
      ready[index] = result
      condition.broadcast()
      condition.unlock()
    }
  }

  private func claim() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped && next < count && next - taken >= window { condition.wait() }
    guard !isStopped, next < count else { return nil }
    next += 1
    return next - 1
  }

  /// Waits for the items of `range` and gives them up; ranges are taken in order.
  func take(_ range: Range<Int>) -> [Result<Item, BanyanError>] {
    condition.lock()
    defer { condition.unlock() }
    var results: [Result<Item, BanyanError>] = []
    results.reserveCapacity(range.count)
    for index in range {
      while true {
        if let result = ready.removeValue(forKey: index) {
          results.append(result)
          break
        }
        condition.wait()
      }
    }
    taken = range.upperBound
    condition.broadcast()
    return results
  }

  /// Lets the workers end after what they have begun.
  func stop() {
    condition.lock()
    isStopped = true
    condition.broadcast()
    condition.unlock()
  }
}
