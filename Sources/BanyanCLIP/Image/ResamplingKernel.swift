/// The fixed-point weights of one axis: for each target position a run of source positions and their weights.
///
/// For target i of n, over m source pixels, with s = m / n and f = max(s, 1): the centre is c = (i + ½)·s, the run is
/// round(c - support·f) ..< round(c + support·f) within the picture, and the weight of source j is
/// k((j + ½ - c) / f), divided by the run's sum and rounded to 22 fractional bits (8 bits of pixel, 2 of headroom).
struct ResamplingKernel {
  static let fractionBits: Int32 = 22

  /// The first source position of each target.
  let starts: [Int]  // [targets]
  /// How many source positions each target weighs.
  let counts: [Int]  // [targets]
  /// The weights, `stride` per target, zero beyond the target's count.
  let weights: [Int32]  // [targets, stride]
  let stride: Int

  /// The kernel for the targets `window` out of `targetCount`.
  init(filter: ResamplingFilter, sourceCount: Int, targetCount: Int, window: Range<Int>) {
    let scale = Double(sourceCount) / Double(targetCount)
    let widening = max(scale, 1)
    let support = filter.support * widening
    stride = Int(support.rounded(.up)) * 2 + 1
    var starts: [Int] = []
    var counts: [Int] = []
    var weights = [Int32](repeating: 0, count: stride * window.count)
    var run = [Double](repeating: 0, count: stride)
    for (row, target) in window.enumerated() {
      let center = (Double(target) + 0.5) * scale
      let start = max(0, Int(center - support + 0.5))
      let count = min(sourceCount, Int(center + support + 0.5)) - start
      var sum = 0.0
      for j in 0..<count {
        run[j] = filter.weight(at: (Double(j + start) - center + 0.5) * (1 / widening))
        sum += run[j]
      }
      for j in 0..<count {
        let weight = (sum != 0 ? run[j] / sum : run[j]) * Double(1 << Self.fractionBits)
        weights[row * stride + j] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
      }
      starts.append(start)
      counts.append(count)
    }
    self.starts = starts
    self.counts = counts
    self.weights = weights
  }

  /// The source positions that any target weighs.
  var reach: Range<Int> {
    guard let first = starts.first, let last = starts.last, let count = counts.last else { return 0..<0 }
    return first..<last + count
  }

  /// The nearest source position of each target in `window`; positions are summed step by step and not multiplied
  /// out, because the rounding of that sum decides which of two pixels is taken.
  static func nearest(sourceCount: Int, targetCount: Int, window: Range<Int>) -> [Int] {
    let scale = Double(sourceCount) / Double(targetCount)
    // A strip so long that its window begins a million pixels in is not walked to.
    let first = window.lowerBound > 1 << 20 ? window.lowerBound : 0
    var position = scale * (Double(first) + 0.5)
    var sources: [Int] = []
    for target in first..<window.upperBound {
      if target >= window.lowerBound { sources.append(min(sourceCount - 1, Int(position))) }
      position += scale
    }
    return sources
  }
}
