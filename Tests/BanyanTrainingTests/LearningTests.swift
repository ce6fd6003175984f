import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTasks
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Synchronization
import Testing

/// Training learns, keeps the best, and says when it goes wrong.
@Suite(.serialized) struct LearningTests {
  private let world: TrainingWorld

  init() throws { world = try TrainingWorld.open() }

  @Test(arguments: ["coop", "coop-mt", "hipro"])
  func theLearnedPromptsHaveALowerTrainingLossForEverySeed(_ method: String) throws {
    let record = try world.run(
      world.experiment(method) {
        $0.seeds = [1, 2, 3]
        $0.training.optimizer = .adamw
        $0.training.learningRate = 0.02
        $0.training.epochs = 20
        $0.training.batchSize = 32
      }, at: world.place())
    for run in record.runs {
      var change = 0.0
      for (task, result) in run.tasks {
        let (before, after) = (try #require(result.initialLoss), try #require(result.finalLoss))
        change += after - before
        // A prompt that tasks share may cost one of them what it brings the others.
        #expect(method != "coop" || after < before, "seed \(run.seed), \(task): \(before) to \(after)")
      }
      #expect(change < 0, "\(method), seed \(run.seed): \(change)")
      for (task, losses) in run.lossCurve.tasks { #expect(losses.count == 20, "\(task)") }
      #expect(run.lossCurve.steps == Array(1...20) && run.steps == 20)
    }
  }

  @Test func zeroShotTakesNoStep() throws {
    let record = try world.run(world.experiment("zero-shot"), at: world.place())
    #expect(record.trainableParameters == 0 && record.runs[0].steps == 0)
    for result in record.runs[0].tasks.values { #expect(result.initialLoss == result.finalLoss) }
  }

  /// The mean validation loss of a finished run's prompts.
  private func validationLoss(_ place: URL) throws -> Double {
    let finished = try FinishedRun(place)
    let bench = try finished.workbench(cache: world.cache)
    let suite = try TaskSuite.load(world.pictures.root.path)
    let saved = try SavedPrompts(finished.folder, seed: 1)
    let evaluator = Evaluator(logitScale: saved.manifest.logitScale)
    var losses: [Double] = []
    for (index, split) in finished.record.runs[0].split.enumerated() {
      let features = try bench.extractor.features(
        of: split.validation.map {
          .init(url: suite.url(of: Sample(path: $0.path, label: $0.label, sha256: $0.sha256)), sha256: $0.sha256)
        }
      ).features
      let batch = TaskBatch(task: index, features: features, labels: try .indices(split.validation.map(\.label)))
      losses.append(try evaluator.loss(TaskClassifier(saved.classifiers[index]), on: batch))
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  @Test func earlyStoppingKeepsTheEpochOfTheLowestValidationLoss() throws {
    // At a constant rate a shorter run is the beginning of a longer one, so that each epoch's prompts can be had apart.
    func experiment(_ epochs: Int, patience: Int?) -> Experiment {
      world.experiment("coop") {
        $0.training.optimizer = .adamw
        $0.training.learningRate = 0.2
        $0.training.decay = .constant
        $0.training.warmupEpochs = 0
        $0.training.epochs = epochs
        $0.training.earlyStopping = patience
      }
    }
    let stopped = world.place()
    let record = try world.run(experiment(60, patience: 3), at: stopped)
    let epochs = record.runs[0].steps / 3
    #expect(epochs < 60 && epochs > 3)
    var losses: [Double] = []
    var learned: [[Data]] = []
    for count in 1...epochs {
      let place = world.place()
      _ = try world.run(experiment(count, patience: nil), at: place)
      losses.append(try validationLoss(place))
      learned.append(try world.learned(place))
    }
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(try world.learned(stopped) == learned[best], "best \(best) of \(losses)")
    #expect(best == epochs - 4)
  }

  @Test(arguments: [1e30, 1e38])
  func aRunThatDivergesNamesTaskAndStepAndSavesNoPrompts(_ rate: Double) throws {
    for epochs in [1, 2, 8] {
      let place = world.place()
      let error = #expect(throws: BanyanError.self) {
        try world.run(
          world.experiment("coop") {
            $0.training.learningRate = rate
            $0.training.epochs = epochs
            $0.training.warmupEpochs = 0
          }, at: place)
      }
      #expect(error?.kind == .failed)
      #expect(
        error?.subject.contains("task chalk") == true && error?.subject.contains("step ") == true, "\(error as Any)")
      #expect(error?.remedy.contains("learningRate") == true)
      #expect(!FileManager.default.fileExists(atPath: RunFolder(place).prompts(1).path))
      #expect(!RunFolder(place).holdsRecord)
    }
  }

  @Test func validationIsAskedForWhereAChoiceNeedsIt() throws {
    for change: (inout Experiment) -> Void in [
      { $0.training.earlyStopping = 1 },
      { $0.options = .object(["combine": .string("learned")]) },
    ] {
      var experiment = world.experiment()
      experiment.validationShots = 0
      change(&experiment)
      let error = #expect(throws: BanyanError.self) { try world.run(experiment, at: world.place()) }
      #expect(error?.kind == .usage && error?.remedy.contains("validationShots") == true, "\(error as Any)")
    }
  }

  @Test func everyEventComesInOrder() throws {
    let seen = Mutex<[String]>([])
    let record = try world.run(
      world.experiment { $0.seeds = [1, 2] }, at: world.place(),
      report: { event in
        seen.withLock { seen in
          switch event {
          case .seed(let seed, _, let count): seen.append("seed \(seed) of \(count)")
          case .step(let seed, let step, let total, let objectives, let rate):
            seen.append("\(seed): \(step)/\(total)")
            #expect(objectives.count == 3 && objectives.values.allSatisfy(\.isFinite) && rate > 0)
          case .result(let seed, _): seen.append("result \(seed)")
          default: break
          }
        }
      })
    let expected = [1, 2].flatMap { seed in
      ["seed \(seed) of 2"] + (1...12).map { "\(seed): \($0)/12" } + ["result \(seed)"]
    }
    #expect(seen.withLock { $0 } == expected)
    #expect(record.runs.map(\.steps) == [12, 12])
  }
}
