import BanyanFoundation

/// A picture as 8-bit red, green and blue values.
///
/// Unlike the `[Float]` planes that ``ImagePreprocessor`` makes, these are the pixels of the file: interleaved, not yet
/// resized to what a model takes and not normalised.
public struct PixelImage: Sendable, Equatable {
  /// The number of columns; at least 1.
  public let width: Int
  /// The number of rows; at least 1.
  public let height: Int
  /// The values, row by row, as R, G, B of each pixel.
  public let pixels: [UInt8]  // [height, width, 3]

  /// Creates a picture from its values.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where a side is below 1 or `pixels` does not hold
  ///   `height · width · 3` values.
  public init(width: Int, height: Int, pixels: [UInt8]) throws {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, pixels.count % 3 == 0, pixels.count / 3 == area else {
      throw BanyanError(
        .malformed, at: "picture of \(width)×\(height)",
        "expected sides of at least 1 and three values per pixel, found \(pixels.count) values")
    }
    self.init(checkedWidth: width, height: height, pixels: pixels)
  }

  /// Creates a picture whose values are known to fit its sides.
  init(checkedWidth width: Int, height: Int, pixels: [UInt8]) {
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// The whole picture as a region.
  public var bounds: PixelRegion { PixelRegion(x: 0, y: 0, width: width, height: height) }

  /// The picture mirrored left to right.
  public func mirrored() -> PixelImage {
    let rowSize = width * 3
    let mirrored = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<height {
          for x in 0..<width {
            let from = y * rowSize + 3 * x
            let to = (y + 1) * rowSize - 3 * (x + 1)
            for channel in 0..<3 { target[to + channel] = source[from + channel] }
          }
        }
      }
      count = pixels.count
    }
    return PixelImage(checkedWidth: width, height: height, pixels: mirrored)
  }
}

/// A rectangle of whole pixels.
public struct PixelRegion: Sendable, Equatable, Codable {
  /// The leftmost column.
  public var x: Int
  /// The topmost row.
  public var y: Int
  /// The number of columns.
  public var width: Int
  /// The number of rows.
  public var height: Int

  /// Creates the rectangle whose top-left pixel is at (`x`, `y`).
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// Whether the rectangle holds at least one pixel and lies within `outer`.
  public func isInside(_ outer: PixelRegion) -> Bool {
    width > 0 && height > 0 && x >= outer.x && y >= outer.y && width <= outer.width && height <= outer.height
      && x - outer.x <= outer.width - width && y - outer.y <= outer.height - height
  }
}
