import BanyanFoundation
import BanyanPrompts
import BanyanTasks
import BanyanTensor
import Foundation

/// The features of all pictures of a run, each content once, and the batches cut from them.
struct FeatureTable {
  private let features: Tensor
  private let pixels: PicturePixels
  private let rows: [String: Int]

  /// Computes or reads the features of `samples`.
  init(
    _ samples: [Sample], suite: TaskSuite, extractor: FeatureExtractor, view: FeatureExtractor.View,
    progress: (Int, Int) -> Void, shouldStop: () -> Bool
  ) throws {
    var seen: [String: Int] = [:]
    var pictures: [FeatureExtractor.Picture] = []
    for sample in samples where seen[sample.sha256] == nil {
      seen[sample.sha256] = pictures.count
      pictures.append(.init(url: suite.url(of: sample), sha256: sample.sha256))
    }
    rows = seen
    features = try extractor.features(of: pictures, view: view, progress: progress, shouldStop: shouldStop).features
    pixels = PicturePixels(pictures, view: view, reader: extractor.reader, device: features.device)
  }

  /// The samples of a task as one batch.
  func batch(_ samples: [Sample], task: Int) throws -> TaskBatch {
    let indices = try samples.map { sample in
      guard let row = rows[sample.sha256] else { throw BanyanError(.failed, at: sample.path, "has no feature") }
      return row
    }
    return TaskBatch(
      task: task, features: try features.gathered(0, .indices(indices, device: features.device)),
      labels: try .indices(samples.map(\.label), device: features.device),
      pictures: .init(pixels, rows: indices))
  }
}
