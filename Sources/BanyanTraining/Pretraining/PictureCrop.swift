import BanyanCLIP
import BanyanFoundation

/// A random part of a square picture, enlarged to the picture's own size and normalised, in some tens of microseconds.
///
/// The part is drawn by `ImageAugmentation`. Since it is never larger than the result, plain bilinear interpolation is what
/// a resampling with a kernel would give, without the roundings to 8 bits between its passes.
struct PictureCrop: Sendable {
  /// Where a row or column of the result comes from: between `low` and `high`, `share` of the way.
  private struct Tap {
    let low: Int
    let high: Int
    let share: Float
  }

  private let side: Int
  private let augmentation: ImageAugmentation
  // A value x of channel c becomes scale[c] · x + shift[c].
  private let scale: [Float]
  private let shift: [Float]

  init(_ augmentation: ImageAugmentation, side: Int, preprocessor: ImagePreprocessor) {
    self.augmentation = augmentation
    self.side = side
    let factor = preprocessor.rescaleFactor ?? 1
    let (mean, deviation) = (preprocessor.mean ?? [0, 0, 0], preprocessor.standardDeviation ?? [1, 1, 1])
    scale = deviation.map { Float(factor / $0) }
    shift = zip(mean, deviation).map { Float(-$0 / $1) }
  }

  /// Writes the planes of one view of `pixels` [side, side, 3].  // [3, side, side]
  func callAsFunction(
    _ pixels: UnsafePointer<UInt8>, into planes: UnsafeMutablePointer<Float>, generator: inout SeededGenerator
  ) {
    let region = augmentation.region(width: side, height: side, generator: &generator)
    let isMirrored = generator.uniform() < augmentation.flipProbability
    let rows = taps(start: region.y, length: region.height)
    var columns = taps(start: region.x, length: region.width)
    if isMirrored { columns.reverse() }
    let area = side * side
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * side) { line in
      for (y, row) in rows.enumerated() {
        let (upper, lower) = (pixels + row.low * 3 * side, pixels + row.high * 3 * side)
        for i in 3 * region.x..<3 * (region.x + region.width) {
          let above = Float(upper[i])
          line[i] = above + row.share * (Float(lower[i]) - above)
        }
        for channel in 0..<3 {
          let target = planes + channel * area + y * side
          let (factor, offset) = (scale[channel], shift[channel])
          for (x, column) in columns.enumerated() {
            let left = line[3 * column.low + channel]
            let value = left + column.share * (line[3 * column.high + channel] - left)
            target[x] = factor * value + offset
          }
        }
      }
    }
  }

  private func taps(start: Int, length: Int) -> [Tap] {
    let step = Float(length) / Float(side)
    return (0..<side).map { index in
      let position = max(0, (Float(index) + 0.5) * step - 0.5)
      let low = min(Int(position), length - 1)
      return Tap(low: start + low, high: start + min(low + 1, length - 1), share: position - Float(low))
    }
  }
}
