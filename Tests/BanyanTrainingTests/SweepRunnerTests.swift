import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import BanyanTraining
import Foundation
import Synchronization
import Testing

/// Sweeps through the API.
@Suite struct SweepRunnerTests {
  private func plan(at output: URL, epochs: Int = 4) throws -> SweepPlan {
    let world = try TrainingWorld.open()
    var sweep = Sweep()
    sweep.base = try world.experiment("zero-shot") { $0.training.epochs = epochs }.differences()
    sweep.runs = [.object(["method": .string("zero-shot")])]
    return try SweepPlan(sweep, file: world.folder.appendingPathComponent("sweep.json"), output: output)
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/clear_refs")),
    .disabled(if: Sanitizer.isPresent, Comment(rawValue: Sanitizer.memoryReason)))
  func thePeakOfARunIsNotThatOfWhatWasBefore() throws {
    let size = 1_200_000_000
    var large = [UInt8](repeating: 1, count: size)
    #expect(large.removeLast() == 1)
    large = []
    let world = try TrainingWorld.open()
    let outcome = try #require(SweepRunner(cache: world.cache).run(plan(at: world.place())).first)
    let peak = try outcome.result.get().measured.peakMemoryBytes
    #expect(peak > 50_000_000 && peak < size, "\(peak)")
  }

  @Test func aStopBeforeTheFirstRunBeginsNothing() throws {
    let world = try TrainingWorld.open()
    let place = world.place()
    let error = #expect(throws: BanyanError.self) {
      try SweepRunner(cache: nil, observer: ExperimentObserver(shouldStop: { true })).run(plan(at: place))
    }
    #expect(error?.kind == .interrupted && !FileManager.default.fileExists(atPath: place.path))
  }

  @Test func aDamagedRecordIsNoFinishedRun() throws {
    let world = try TrainingWorld.open()
    let place = world.place()
    let plan = try plan(at: place)
    _ = try SweepRunner(cache: world.cache).run(plan)
    #expect(plan.runs[0].state().isDone)
    try Data("{".utf8).write(to: RunFolder(plan.runs[0].folder).record)
    guard case .changed(let text) = plan.runs[0].state() else {
      Issue.record("\(plan.runs[0].state())")
      return
    }
    #expect(text.contains("record.json"), "\(text)")
    let begun = Mutex(0)
    var runner = SweepRunner(cache: world.cache)
    runner.report = { _ in begun.withLock { $0 += 1 } }
    #expect(throws: BanyanError.self) { try runner.run(plan) }
    #expect(begun.withLock { $0 } == 0)
    runner.overwrites = true
    _ = try runner.run(plan)
    #expect(plan.runs[0].state().isDone && begun.withLock { $0 } == 1)
  }
}
