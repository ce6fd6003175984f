public import BanyanTensor

/// Where the pixels of pictures can be had when a step wants them.
///
/// Unlike features, pixels are too many to be handed on as one tensor: a batch carries a source and rows of it.
public protocol PixelSource: Sendable {
  /// The pictures of `rows`, preprocessed for the image tower.  // [rows, 3, side, side]
  ///
  /// - Throws: A `BanyanError` that names the picture which cannot be read.
  func pixels(_ rows: [Int]) throws -> Tensor
}

/// Pictures that are in memory as one tensor.
public struct PixelTensor: PixelSource {
  private let tensor: Tensor

  /// A source over `tensor`, [pictures, 3, side, side].
  public init(_ tensor: Tensor) { self.tensor = tensor }

  public func pixels(_ rows: [Int]) throws -> Tensor {
    try tensor.gathered(0, .indices(rows, device: tensor.device))
  }
}
