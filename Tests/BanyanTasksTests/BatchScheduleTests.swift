import BanyanFoundation
import BanyanTasks
import Testing

struct BatchScheduleTests {
  @Test(arguments: [(10, 3), (10, 5), (1, 1), (7, 100), (64, 32)])
  func `a pass holds every index once`(count: Int, size: Int) throws {
    let schedule = try BatchSchedule(count: count, batchSize: size, seed: 3, label: "t")
    #expect(schedule.batchesPerPass == (count + min(size, count) - 1) / min(size, count))
    for pass in 0..<3 {
      let steps = (0..<schedule.batchesPerPass).map { pass * schedule.batchesPerPass + $0 }
      let batches = steps.map { schedule.indices(epoch: 2, step: $0) }
      #expect(batches.flatMap { $0 }.sorted() == Array(0..<count))
      #expect(batches.dropLast().allSatisfy { $0.count == schedule.batchSize })
      let remainder = count % schedule.batchSize
      #expect(batches.last?.count == (remainder == 0 ? schedule.batchSize : remainder))
    }
  }

  @Test func `epochs, passes, seeds and labels shuffle differently`() throws {
    func order(seed: UInt64 = 1, label: String = "t", epoch: Int = 0, step: Int = 0) throws -> [Int] {
      try BatchSchedule(count: 50, batchSize: 50, seed: seed, label: label).indices(epoch: epoch, step: step)
    }
    let orders = try [order(), order(seed: 2), order(label: "u"), order(epoch: 1), order(step: 1)]
    #expect(Set(orders).count == orders.count)
    #expect(try order() == order())
  }

  @Test func `a list of batches equals the batches one by one`() throws {
    let schedule = try BatchSchedule(count: 11, batchSize: 4, seed: 9, label: "t")
    #expect(schedule.batches(epoch: 5, steps: 20) == (0..<20).map { schedule.indices(epoch: 5, step: $0) })
  }

  @Test func `steps far out and negative ones are harmless`() throws {
    let schedule = try BatchSchedule(count: 3, batchSize: 2, seed: .max, label: "")
    #expect(!schedule.indices(epoch: .max, step: .max).isEmpty)
    #expect(schedule.indices(epoch: -1, step: 0).isEmpty)
    #expect(schedule.indices(epoch: 0, step: -1).isEmpty)
    #expect(schedule.batches(epoch: 0, steps: -1).isEmpty)
  }

  @Test func `refuses empty tasks and empty batches`() {
    expectError(.usage, "t", "at least 1 sample", "found 0") {
      _ = try BatchSchedule(count: 0, batchSize: 1, seed: 0, label: "t")
    }
    expectError(.usage, "batch size", "found -2") {
      _ = try BatchSchedule(count: 1, batchSize: -2, seed: 0, label: "t")
    }
  }
}
