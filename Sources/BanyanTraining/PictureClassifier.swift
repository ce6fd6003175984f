import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
public import Foundation

/// Names pictures with a saved classifier.
///
/// Where a matrix on frozen features is all that a method leaves, the text tower is not even read.
public struct PictureClassifier {
  /// A class with its probability.
  public struct Guess: Codable, Sendable, Equatable {
    /// The class name.
    public var name: String
    /// Between 0 and 1; a picture's probabilities add up to 1.
    public var probability: Double
  }

  /// A picture ready to be named under several tasks.
  public struct Picture {
    fileprivate let batch: TaskBatch
  }

  private let extractor: FeatureExtractor
  private let saved: SavedPrompts
  private let evaluator: Evaluator

  /// A classifier from the prompts of one seed.
  ///
  /// - Parameters:
  ///   - run: A finished run.
  ///   - seed: Which of its seeds.
  ///   - model: Another place of the run's checkpoint; `nil` for the recorded one.
  public init(_ run: FinishedRun, seed: UInt64, model: URL? = nil) throws {
    saved = try SavedPrompts(run.folder, seed: seed, device: run.experiment.device)
    guard saved.manifest.needsMethod == true else {
      extractor = try run.extractor(model: model)
      evaluator = Evaluator(logitScale: saved.manifest.logitScale)
      return
    }
    let bench = try run.workbench(model: model, cache: nil)
    extractor = bench.extractor
    evaluator = Evaluator(
      try saved.method(bench, paths: (run.experiment.encodingPath, run.experiment.imagePath)), saved.parameters)
  }

  /// The tasks that it knows.
  public var taskNames: [String] { saved.manifest.tasks.map(\.name) }

  /// Reads a picture file.
  public func picture(at url: URL) throws -> Picture {
    let pixels = try extractor.pixels(of: ImageDecoder.decode(contentsOf: url))
    return Picture(
      batch: TaskBatch(
        task: 0, features: try extractor.feature(ofPixels: pixels), labels: try .indices([0], device: pixels.device),
        pictures: .init(PixelTensor(pixels), rows: [0])))
  }

  /// The `count` most probable classes of a task, most probable first.
  public func guesses(_ picture: Picture, task name: String, count: Int) throws -> [Guess] {
    let index = try self.index(of: name)
    var batch = picture.batch
    batch.task = index
    let row = try evaluator.probabilities(batch, saved.classifiers[index])[0]
    return zip(saved.manifest.tasks[index].classNames, row).map { Guess(name: $0, probability: $1) }
      .sorted { ($1.probability, $0.name) < ($0.probability, $1.name) }
      .prefix(count).map { $0 }
  }

  /// Throws where the run has no task of this name, before any picture is read.
  public func check(task name: String) throws { _ = try index(of: name) }

  private func index(of name: String) throws -> Int {
    guard let index = saved.manifest.tasks.firstIndex(where: { $0.name == name }) else {
      throw BanyanError(
        .usage, at: "--task \(name)", "the run has no such task",
        remedy: NearNames.remedy(for: name, among: taskNames))
    }
    return index
  }
}
