public import BanyanCLIP
import BanyanFoundation
package import BanyanTensor
import Foundation

/// Pictures to the planes that a network takes, decoded on all cores; nothing is cached.
///
/// ``FeatureExtractor`` makes features of them; methods that learn something of a tower and task embeddings read the planes.
public struct PictureReader: Sendable {
  /// Pictures to pixels.
  public let preprocessor: ImagePreprocessor
  let batchSize: Int

  /// A reader that hands `batchSize` pictures on at a time.
  public init(preprocessor: ImagePreprocessor, batchSize: Int = 32) {
    self.preprocessor = preprocessor
    self.batchSize = batchSize
  }

  /// The preprocessed planes of `pictures`, in their order.
  ///
  /// - Throws: A `BanyanError` that names the picture which cannot be read.
  package func planes(
    of pictures: [FeatureExtractor.Picture], view: FeatureExtractor.View = .centre, each: (Int, [Float]) throws -> Void
  ) throws {
    try forEachBatch(of: pictures, view: view) { batch, range in
      for (offset, planes) in batch.enumerated() { try each(range.lowerBound + offset, planes.get()) }
    }
  }

  func forEachBatch(
    of pictures: [FeatureExtractor.Picture], view: FeatureExtractor.View,
    body: ([Result<[Float], BanyanError>], Range<Int>) throws -> Void
  ) throws {
    try PixelPipeline.forEachBatch(
      ofCount: pictures.count, batchSize: batchSize, name: { pictures[$0].url.path },
      prepare: { try planes(of: pictures[$0], view: view) }, body: body)
  }

  private func planes(of picture: FeatureExtractor.Picture, view: FeatureExtractor.View) throws -> [Float] {
    let image = try ImageDecoder.decode(contentsOf: picture.url)
    guard case .augmented(let number) = view else { return preprocessor(image) }
    // A view belongs to the picture's content, so that all runs see the same one.
    var generator = SeededGenerator(seed: UInt64(number), label: picture.sha256)
    return ImageAugmentation()(image, preprocessor: preprocessor, generator: &generator)
  }

  /// Planes as a network takes them.  // [pictures, 3, height, width]
  package func tensor(_ planes: [[Float]], device: Device) throws -> Tensor {
    let shape = [planes.count, 3, preprocessor.outputHeight, preprocessor.outputWidth]
    var elements: [Float] = []
    elements.reserveCapacity(shape.reduce(1, *))
    // The tower waits meanwhile: a copy each, where `joined()` would go number by number.
    for picture in planes { elements.append(contentsOf: picture) }
    return try Tensor(elements, shape: shape, device: device)
  }
}
