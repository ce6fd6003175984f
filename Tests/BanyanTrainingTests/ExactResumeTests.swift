import BanyanFoundation
import BanyanReports
import BanyanTasks
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// A run that is stopped and continued takes the very steps of an uninterrupted one.
@Suite(.serialized) struct ExactResumeTests {
  enum Setting: String, CaseIterable {
    case momentum, nesterov, adam, earlyStopping, views, learned, two, sharp, firstStage
  }

  private let world: TrainingWorld

  init() throws { world = try TrainingWorld.open() }

  private func experiment(_ setting: Setting) -> Experiment {
    world.experiment { experiment in
      switch setting {
      case .momentum: break
      case .nesterov:
        experiment.training.nesterov = true
        experiment.method = "coop"
      case .adam: experiment.training.optimizer = .adamw
      case .earlyStopping:
        experiment.method = "coop-mt"
        experiment.training.optimizer = .adamw
        experiment.training.learningRate = 0.3
        experiment.training.epochs = 6
        experiment.training.earlyStopping = 2
      case .views:
        experiment.data.augmentedViews = 3
        experiment.training.decay = .linear
      case .learned:
        experiment.options = .object([
          "combine": .string("learned"), "objective": .string("both"),
          "context": .object(["length": .integer(2)]),
        ])
      case .two: experiment.seeds = [4, 2]
      case .sharp:
        experiment.training.sharpness = 0.05
        experiment.training.aggregate = .pcgrad
      case .firstStage:
        experiment.method = "mvlpt"
        experiment.options = .object([
          "prompts": .string("coop"), "length": .integer(2), "source": .object(["steps": .integer(7)]),
        ])
      }
    }
  }

  /// Stops before the first step, then `stride` steps later and so on, until nothing is left to stop.
  private func stopEverywhere(
    _ experiment: Experiment, stride: Int, _ body: (Int, URL) throws -> Void
  ) throws -> Int {
    for step in Swift.stride(from: 0, to: 200, by: stride) {
      let place = world.place()
      defer { try? FileManager.default.removeItem(at: place) }
      do {
        _ = try world.run(experiment, at: place, steps: step)
        return step
      } catch let error as BanyanError {
        #expect(error.kind == .interrupted)
        try body(step, place)
      }
    }
    return 200
  }

  @Test(arguments: Setting.allCases)
  func stoppedAtAnyOneStepItEndsWithTheSameBytes(_ setting: Setting) throws {
    let experiment = experiment(setting)
    let whole = world.place()
    let record = try world.run(experiment, at: whole)
    let expected = try experiment.seeds.map { try world.learned(whole, seed: $0) }
    // Every step under one setting, every fifth under the others, which meets each place in an epoch of three steps.
    let stops = try stopEverywhere(experiment, stride: setting == .momentum ? 1 : 5) { step, place in
      let resumed = try world.run(experiment, at: place, .resume)
      #expect(resumed.comparable() == record.comparable(), "\(setting), stopped at \(step)")
      #expect(try experiment.seeds.map { try world.learned(place, seed: $0) } == expected, "\(setting), \(step)")
      #expect(try RunRecord.read(place) == resumed)
    }
    #expect(stops >= record.runs.map(\.steps).reduce(0, +), "\(setting)")
  }

  @Test(arguments: Setting.allCases)
  func stoppedAfterEverySingleStepItEndsWithTheSameBytes(_ setting: Setting) throws {
    let experiment = experiment(setting)
    let (whole, pieces) = (world.place(), world.place())
    let record = try world.run(experiment, at: whole)
    // The affinity is measured, and a start prepared, in one piece, so that pieces must be long enough for it.
    var rest: RunRecord?
    for attempt in 0..<100 where rest == nil {
      let hasAffinity = experiment.seeds.allSatisfy { seed in
        let folder = RunFolder(pieces).seed(seed)
        return ["affinity.json", "start.safetensors", "result.json"].contains {
          FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
      }
      do {
        rest = try world.run(
          experiment, at: pieces, attempt == 0 ? .refuse : .resume,
          steps: ["hipro", "mvlpt"].contains(experiment.method) && !hasAffinity ? 8 : 1)
      } catch let error as BanyanError where error.kind == .interrupted {
        continue
      }
    }
    #expect(rest?.comparable() == record.comparable(), "\(setting)")
    for seed in experiment.seeds {
      #expect(try world.learned(pieces, seed: seed) == world.learned(whole, seed: seed), "\(setting)")
    }
  }

  @Test func aStateOfOtherSettingsIsRefused() throws {
    let experiment = experiment(.adam)
    let place = world.place()
    #expect(throws: BanyanError.self) { try world.run(experiment, at: place, steps: 9) }
    for change: (inout Experiment) -> Void in [
      { $0.training.learningRate *= 2 }, { $0.training.optimizer = .sgd }, { $0.seeds = [2] },
      { $0.samples = .shots(3) },
      { $0.method = "coop" }, { $0.data.augmentedViews = 1 },
    ] {
      var other = experiment
      change(&other)
      let error = #expect(throws: BanyanError.self) { try world.run(other, at: place, .resume) }
      #expect(error?.kind == .usage && error?.message.contains("other settings") == true)
    }
    // Notes for readers change nothing.
    var noted = experiment
    noted.paper = "a note"
    _ = try world.run(noted, at: place, .resume)
  }

  @Test func timeOfStoppedProcessesCounts() {
    var watch = Stopwatch()
    watch.add(["training": 500])
    #expect(watch.total < 500)
    watch.add(["training": 700, "evaluation": 100], areOfThisProcess: false)
    #expect(watch.total >= 800 && watch.total < 1300)
  }

  @Test func aStateFromAnotherModelIsRefused() throws {
    // Two checkpoints of one shape.
    let copy = world.folder.appendingPathComponent("clip-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: TinyCLIP.folder(), to: copy)
    let experiment = world.experiment { $0.model = copy.path }
    let place = world.place()
    #expect(throws: BanyanError.self) { try world.run(experiment, at: place, steps: 12) }
    let other = TinyCLIP.folder("tiny-clip-gelu")
    try FileManager.default.removeItem(at: copy)
    try FileManager.default.copyItem(at: other, to: copy)
    let error = #expect(throws: BanyanError.self) { try world.run(experiment, at: place, .resume) }
    #expect(error?.message.contains("another experiment") == true, "\(String(describing: error))")
  }
}
