import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTasks
import BanyanTestSupport
import BanyanTraining
import Foundation
import Synchronization

/// A folder with a drawn world and a cache of its features, for runs of the CLIP that ships through the API.
final class TrainingWorld: Sendable {
  private static let made = Result { try TrainingWorld() }

  static func open() throws -> TrainingWorld { try made.get() }

  let folder: URL
  let pictures: PictureWorld

  /// The CLIP that ships.
  static func model() throws -> URL { try EmbeddedCheckpoint.folder() }

  private init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("banyan-training-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { if let world = try? TrainingWorld.made.get() { try? FileManager.default.removeItem(at: world.folder) } }
    pictures = try PictureWorld(at: folder.appendingPathComponent("world"))
  }

  var cache: URL { folder.appendingPathComponent("cache") }

  /// An empty place for a run.
  func place() -> URL { folder.appendingPathComponent("run-\(UUID().uuidString)") }

  /// A small experiment: five steps of affinity, three steps an epoch, twelve in all.
  func experiment(_ method: String = "hipro", _ change: (inout Experiment) -> Void = { _ in }) -> Experiment {
    var experiment = Experiment()
    experiment.model = EmbeddedCheckpoint.name
    experiment.tasks = pictures.root.path
    experiment.method = method
    if method != "zero-shot" { experiment.options = .object(["context": .object(["length": .integer(2)])]) }
    experiment.samples = .shots(4)
    experiment.seeds = [1]
    experiment.threads = 1
    experiment.affinity.steps = 5
    experiment.affinity.recordEvery = 1
    experiment.training.epochs = 4
    experiment.training.batchSize = 4
    change(&experiment)
    return experiment
  }

  /// Runs until `steps` questions whether to stop were answered with no.
  func run(
    _ experiment: Experiment, at place: URL, _ existing: RunFolder.Existing = .refuse, steps: Int = .max,
    report: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
  ) throws -> RunRecord {
    let left = Mutex(steps)
    let observer = ExperimentObserver(
      report: report,
      shouldStop: {
        left.withLock { left in
          left -= 1
          return left < 0
        }
      })
    return try ExperimentRun(experiment, output: place, cache: cache, observer: observer).run(existing)
  }

  /// The bytes of what a seed has learned.
  func learned(_ place: URL, seed: UInt64 = 1) throws -> [Data] {
    let folder = RunFolder(place)
    return try [folder.prompts(seed), folder.classifiers(seed), folder.manifest(seed)].map { try Data(contentsOf: $0) }
  }
}
