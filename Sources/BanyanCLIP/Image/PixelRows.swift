/// Rows of interleaved RGB in memory that someone else owns, and the two passes of a resize over them.
///
/// The callers have checked that every row and column asked for exists.
struct PixelRows {
  let base: UnsafePointer<UInt8>
  /// Bytes from one row to the next.
  let stride: Int
  /// The number of the row that `base` points to.
  var firstRow = 0
  /// The number of the column that `base` points to.
  var firstColumn = 0

  private func row(_ y: Int, from column: Int) -> UnsafePointer<UInt8> {
    base + (y - firstRow) * stride + 3 * (column - firstColumn)
  }

  func copied(columns: Range<Int>, rows: Range<Int>) -> [UInt8] {
    let size = 3 * columns.count
    return [UInt8](unsafeUninitializedCapacity: size * rows.count) { target, count in
      guard var position = target.baseAddress else { return }
      for y in rows {
        position.update(from: row(y, from: columns.lowerBound), count: size)
        position += size
      }
      count = size * rows.count
    }
  }

  func picked(columns: [Int], rows: [Int]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(3 * columns.count * rows.count)
    for y in rows {
      let source = row(y, from: 0)
      for x in columns {
        result.append(source[3 * x])
        result.append(source[3 * x + 1])
        result.append(source[3 * x + 2])
      }
    }
    return result
  }

  func convolvedHorizontally(_ kernel: ResamplingKernel, rows: Range<Int>) -> [UInt8] {
    let width = kernel.starts.count
    let half: Int32 = 1 << (ResamplingKernel.fractionBits - 1)
    return [UInt8](unsafeUninitializedCapacity: 3 * width * rows.count) { target, count in
      kernel.weights.withUnsafeBufferPointer { weights in
        kernel.starts.withUnsafeBufferPointer { starts in
          kernel.counts.withUnsafeBufferPointer { counts in
            guard var output = target.baseAddress, let weights = weights.baseAddress else { return }
            for y in rows {
              let source = row(y, from: firstColumn)
              var weight = weights
              for x in 0..<width {
                var (red, green, blue) = (half, half, half)
                var pixel = source + 3 * (starts[x] - firstColumn)
                for j in 0..<counts[x] {
                  let w = weight[j]
                  red &+= Int32(pixel[0]) &* w
                  green &+= Int32(pixel[1]) &* w
                  blue &+= Int32(pixel[2]) &* w
                  pixel += 3
                }
                output[0] = Self.clipped(red)
                output[1] = Self.clipped(green)
                output[2] = Self.clipped(blue)
                output += 3
                weight += kernel.stride
              }
            }
          }
        }
      }
      count = 3 * width * rows.count
    }
  }

  func convolvedVertically(_ kernel: ResamplingKernel, columns: Range<Int>) -> [UInt8] {
    let rowSize = 3 * columns.count
    let half: Int32 = 1 << (ResamplingKernel.fractionBits - 1)
    var sums = [Int32](repeating: 0, count: rowSize)
    return [UInt8](unsafeUninitializedCapacity: rowSize * kernel.starts.count) { target, count in
      sums.withUnsafeMutableBufferPointer { sums in
        guard var output = target.baseAddress, let sums = sums.baseAddress else { return }
        for y in 0..<kernel.starts.count {
          sums.update(repeating: half, count: rowSize)
          for j in 0..<kernel.counts[y] {
            let source = row(kernel.starts[y] + j, from: columns.lowerBound)
            let weight = kernel.weights[y * kernel.stride + j]
            for i in 0..<rowSize { sums[i] &+= Int32(source[i]) &* weight }
          }
          for i in 0..<rowSize { output[i] = Self.clipped(sums[i]) }
          output += rowSize
        }
      }
      count = rowSize * kernel.starts.count
    }
  }

  @inline(__always)
  private static func clipped(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(255, max(0, sum >> ResamplingKernel.fractionBits)))
  }
}
