public import BanyanCLIP
import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTensor
public import Foundation

/// Names pictures with a saved classifier.
///
/// Where a matrix on frozen features is all that a method leaves, the text tower is not even read. Classifiers with one
/// ``tower`` share its pass: a ``Batch`` that one of them made is named by all.
public struct PictureClassifier: Sendable {
  /// A class with its probability.
  public struct Guess: Codable, Sendable, Equatable {
    /// The class name.
    public var name: String
    /// Between 0 and 1; a picture's probabilities add up to 1.
    public var probability: Double
  }

  /// A picture as an image tower takes it.
  public struct Planes: Sendable {
    fileprivate let values: [Float]
    /// How many pixels the picture had that they were made from; 0 where they came as planes.
    package var sourcePixels = 0
  }

  /// Pictures that have been through the image tower, ready to be named under several tasks.
  public struct Batch: Sendable {
    fileprivate let batch: TaskBatch
    /// Which tower that was.
    fileprivate let tower: Tower
    /// How many pictures there are.
    public var count: Int { batch.count }

    /// Some of the pictures, in the order of `rows`.
    public func rows(_ rows: [Int]) throws -> Batch { Batch(batch: try batch.rows(rows), tower: tower) }
  }

  /// A picture alone, ready to be named under several tasks.
  public typealias Picture = Batch

  /// What features depend on beside the picture; classifiers with equal ones share features.
  public struct Tower: Sendable, Hashable {
    fileprivate let key: String
  }

  /// Whose features the classifiers stand on.
  public let tower: Tower
  /// What the prompts belong to.
  public var manifest: SavedPrompts.Manifest { saved.manifest }
  private let saved: SavedPrompts
  private let extractor: FeatureExtractor
  private let evaluator: Evaluator

  /// A classifier from the prompts of one seed.
  ///
  /// - Parameters:
  ///   - run: A finished run.
  ///   - seed: Which of its seeds.
  ///   - model: Another place of the run's checkpoint; `nil` for the recorded one.
  ///   - others: Classifiers whose tower serves this one too, where it is the same; it is not read a second time.
  public init(_ run: FinishedRun, seed: UInt64, model: URL? = nil, sharing others: [PictureClassifier] = []) throws {
    saved = try SavedPrompts(run.folder, seed: seed, device: run.experiment.device)
    let tower = try Tower(
      key: [
        run.record.model.sha256, run.experiment.device.rawValue, run.experiment.precision.rawValue,
        run.experiment.imagePath.rawValue,
        run.preprocessing(model: model).fingerprint,
      ].joined(separator: "\n"))
    self.tower = tower
    guard saved.manifest.needsMethod == true else {
      extractor = try others.first { $0.tower == tower }?.extractor ?? run.extractor(model: model)
      evaluator = Evaluator(logitScale: saved.manifest.logitScale)
      return
    }
    let bench = try run.workbench(model: model, cache: nil)
    extractor = bench.extractor
    evaluator = Evaluator(
      try saved.method(bench, paths: (run.experiment.encodingPath, run.experiment.imagePath)), saved.parameters)
  }

  /// What a task's answers come from: a digest of the tower and the task's classifier.
  public func origin(of task: Int) throws -> String { try saved.origin(of: task) }

  /// The tasks that it knows.
  public var taskNames: [String] { saved.manifest.tasks.map(\.name) }

  /// Height and width of what a picture becomes.
  public var planeSize: (height: Int, width: Int) {
    (extractor.reader.preprocessor.outputHeight, extractor.reader.preprocessor.outputWidth)
  }

  /// Decodes a picture and makes it the size that the tower takes; any number of threads may.
  ///
  /// - Parameters:
  ///   - data: A JPEG, PNG or WebP file.
  ///   - name: What errors call it.
  ///   - pixelLimit: The most pixels the header may announce.
  public func planes(
    of data: Data, name: String, pixelLimit: Int = ImageDecoder.defaultPixelLimit
  ) throws -> Planes {
    let picture = try ImageDecoder.decode(data, name: name, pixelLimit: pixelLimit)
    return Planes(values: extractor.reader.preprocessor(picture), sourcePixels: picture.width * picture.height)
  }

  /// How many pixels a file's header announces; `nil` where there is no header that can be read.
  package static func announcedPixels(of data: Data) -> Int? { ImageDecoder.announcedPixels(of: data) }

  /// Planes that were preprocessed elsewhere, [3, height, width].
  ///
  /// - Throws: A `BanyanError` where there are too few or too many, or one is not finite.
  public func planes(_ values: [Float]) throws -> Planes {
    let expected = 3 * planeSize.height * planeSize.width
    guard values.count == expected, values.allSatisfy(\.isFinite) else {
      throw BanyanError(
        .malformed, at: "pixels",
        "expected \(expected) finite numbers for a picture of 3 × \(planeSize.height) × "
          + "\(planeSize.width), found \(values.count)")
    }
    return Planes(values: values)
  }

  /// Pictures through the image tower, all at once.
  public func batch(_ planes: [Planes]) throws -> Batch {
    let pixels = try extractor.reader.tensor(planes.map(\.values), device: extractor.device)
    return Batch(
      batch: TaskBatch(
        task: 0, features: try extractor.feature(ofPixels: pixels),
        labels: try .indices([Int](repeating: 0, count: planes.count), device: extractor.device),
        pictures: .init(PixelTensor(pixels), rows: Array(planes.indices))), tower: tower)
  }

  /// Reads a picture file.
  public func picture(at url: URL) throws -> Picture { try batch([planes(of: AtomicFile.read(url), name: url.path)]) }

  /// What the pictures are under a task: for each the probabilities of its classes, in the order of the class names.
  ///
  /// - Throws: A `BanyanError` where the pictures went through another tower.
  public func probabilities(_ pictures: Batch, task: Int) throws -> [[Double]] {
    guard pictures.tower == tower else {
      throw BanyanError(.failed, at: "pictures", "went through another image tower than the run's")
    }
    var batch = pictures.batch
    batch.task = task
    return try evaluator.probabilities(batch, saved.classifiers[task])
  }

  /// The image features of pictures, for each as many numbers as the projection is wide.
  public func features(_ pictures: Batch) throws -> [[Float]] {
    let (width, values) = (pictures.batch.features.extent(1), try pictures.batch.features.floats())
    return (0..<pictures.count).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }

  /// The `count` most probable classes of a task, most probable first.
  public func guesses(_ picture: Picture, task name: String, count: Int) throws -> [Guess] {
    let index = try self.index(of: name)
    let row = try probabilities(picture, task: index)[0]
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
