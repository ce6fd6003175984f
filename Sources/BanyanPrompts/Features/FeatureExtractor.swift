public import BanyanCLIP
import BanyanFoundation
public import BanyanTensor
public import Foundation

/// Pictures to unit features of the frozen image tower, each picture once.
///
/// Pictures are decoded on all cores ahead of the tower. The tower has no prompts here, so that a feature depends on the
/// picture alone and is kept in the ``FeatureCache``.
public struct FeatureExtractor: Sendable {
  /// A picture by place and content.
  public struct Picture: Sendable, Hashable {
    /// Where it is.
    public var url: URL
    /// SHA-256 of the file.
    public var sha256: String

    /// Creates a reference to a picture.
    public init(url: URL, sha256: String) {
      self.url = url
      self.sha256 = sha256
    }
  }

  /// Which pixels of a picture are seen.
  public enum View: Sendable, Hashable {
    /// The whole picture, resized and cropped in the middle.
    case centre
    /// The seeded random crop and flip of this number.
    case augmented(Int)

    fileprivate func key(_ sha256: String) -> String {
      switch self {
      case .centre: sha256
      case .augmented(let number): "\(sha256)-v\(number)"
      }
    }
  }

  /// What was read from the cache and what had to be computed.
  public struct Count: Sendable, Equatable {
    /// Features that were there.
    public var cached = 0
    /// Features that were computed.
    public var computed = 0
  }

  private let tower: ImageTower
  private let path: ImageTower.EncodingPath
  /// Where the tower works.
  package var device: Device { tower.device }
  /// Pictures to the tower's planes.
  package let reader: PictureReader
  private let cache: FeatureCache

  /// An extractor for the image tower of `model`.
  public init(
    model: CLIPModel, preprocessor: ImagePreprocessor, path: ImageTower.EncodingPath = .fused, cache: FeatureCache,
    batchSize: Int = 32
  ) throws {
    try self.init(tower: model.image, preprocessor: preprocessor, path: path, cache: cache, batchSize: batchSize)
  }

  /// An extractor for an image tower that stands alone.
  public init(
    tower: ImageTower, preprocessor: ImagePreprocessor, path: ImageTower.EncodingPath = .fused, cache: FeatureCache,
    batchSize: Int = 32
  ) throws {
    let side = tower.configuration.imageSize
    guard preprocessor.outputHeight == side, preprocessor.outputWidth == side else {
      throw BanyanError(
        .malformed, at: "preprocessor_config.json",
        "expected pictures of \(side) × \(side), found \(preprocessor.outputWidth) × \(preprocessor.outputHeight)")
    }
    (self.tower, self.path) = (tower, path)
    self.cache = cache
    reader = PictureReader(preprocessor: preprocessor, batchSize: batchSize)
  }

  /// The features of `pictures`, in their order.
  ///
  /// - Parameters:
  ///   - pictures: Files with the digests of their contents; equal digests are computed once.
  ///   - view: Which pixels are seen.
  ///   - progress: Called with the pictures done and the pictures to compute.
  ///   - shouldStop: Asked between batches; features computed until then are kept in the cache.
  /// - Returns: [pictures, projection], rows of length one, and how much of it was cached.
  /// - Throws: A `BanyanError` that names the picture which cannot be read.
  public func features(
    of pictures: [Picture], view: View = .centre, progress: (Int, Int) -> Void = { _, _ in },
    shouldStop: () -> Bool = { false }
  ) throws -> (features: Tensor, count: Count) {
    let width = tower.configuration.projectionWidth
    var rows = [[Float]?](repeating: nil, count: pictures.count)
    var places: [String: [Int]] = [:]
    var missing: [Int] = []
    for (index, picture) in pictures.enumerated() {
      if places[picture.sha256] == nil {
        if let cached = cache.read(view.key(picture.sha256)) { rows[index] = cached } else { missing.append(index) }
      }
      places[picture.sha256, default: []].append(index)
    }
    let count = Count(cached: places.count - missing.count, computed: missing.count)
    try compute(missing.map { pictures[$0] }, view: view, progress: progress, shouldStop: shouldStop) {
      offset, feature in
      rows[missing[offset]] = feature
      try cache.write(feature, key: view.key(pictures[missing[offset]].sha256))
    }
    for indices in places.values {
      for index in indices.dropFirst() { rows[index] = rows[indices[0]] }
    }
    let elements = rows.flatMap { Self.unit($0 ?? [Float](repeating: 0, count: width)) }
    return (try Tensor(elements, shape: [pictures.count, width], device: tower.device), count)
  }

  /// `x / ‖x‖₂`, row by row: the engine's own sums would depend in the last bit on how many rows there are.
  private static func unit(_ row: [Float]) -> [Float] {
    let norm = row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return norm > 0 ? row.map { Float(Double($0) / norm) } : row
  }

  /// The unit feature of one picture in memory, [1, projection]; nothing is cached.
  public func feature(of image: PixelImage) throws -> Tensor { try feature(ofPixels: pixels(of: image)) }

  /// The planes of one picture in memory, [1, 3, side, side].
  public func pixels(of image: PixelImage) throws -> Tensor { try tensor([reader.preprocessor(image)]) }

  /// The unit features of planes, [pictures, projection].
  public func feature(ofPixels pixels: Tensor) throws -> Tensor {
    try Engine.withoutGradients { try tower.features(pixels, path: path).normalized() }
  }

  private func compute(
    _ pictures: [Picture], view: View, progress: (Int, Int) -> Void, shouldStop: () -> Bool,
    each: (Int, [Float]) throws -> Void
  ) throws {
    try reader.forEachBatch(of: pictures, view: view) { batch, range in
      if shouldStop() { throw BanyanError(.interrupted, at: "image features", "stopped after \(range.lowerBound)") }
      let planes = try batch.map { try $0.get() }
      // Always as many rows, so that a feature does not depend on which pictures were still missing.
      let blank = [Float](repeating: 0, count: planes[0].count)
      let padded = planes + [[Float]](repeating: blank, count: reader.batchSize - planes.count)
      let features = try Engine.withoutGradients { try tower.features(tensor(padded), path: path).floats() }
      let width = features.count / padded.count
      for row in planes.indices { try each(range.lowerBound + row, Array(features[row * width..<(row + 1) * width])) }
      progress(range.upperBound, pictures.count)
    }
  }

  private func tensor(_ planes: [[Float]]) throws -> Tensor { try reader.tensor(planes, device: tower.device) }
}
