/// Finds how far to go along a direction, so that the function has fallen enough and its slope is nearly gone.
///
///     f(t) ≤ f(0) + c₁ t f′(0)   and   |f′(t)| ≤ c₂ |f′(0)|
///
/// These are the strong Wolfe conditions; the interval is found by doubling and shrunk by cubic interpolation (Nocedal and
/// Wright, *Numerical Optimization*, algorithms 3.5 and 3.6). Where the function differs by rounding alone, the slope decides.
struct WolfeSearch: Sendable {
  /// `c₁`.
  var decrease = 1e-4
  /// `c₂`.
  var curvature = 0.9
  /// How many points are tried at most.
  var trials = 50

  /// A point of the line.
  struct Sample {
    /// `t`.
    var length: Double
    /// The derivative along the direction.
    var slope: Double
    var point: [Double]
    var value: Double
    var gradient: [Double]
  }

  /// The first point that meets both conditions; else the lowest one, `nil` where none is lower than `origin`.
  func sample(from origin: Sample, first: Double, _ evaluate: (Double) throws -> Sample) rethrows -> Sample? {
    var last = origin
    var length = first
    for trial in 0..<trials {
      let now = try evaluate(length)
      if !hasFallen(now, from: origin) || (trial > 0 && now.value > last.value + rounding(origin)) {
        return try zoom(origin, low: last, high: now, evaluate)
      }
      if abs(now.slope) <= curvature * abs(origin.slope) { return now }
      if now.slope >= 0 { return try zoom(origin, low: now, high: last, evaluate) }
      last = now
      length *= 2
    }
    return last
  }

  /// Shrinks the interval between its better end `low` and the other one.
  private func zoom(
    _ origin: Sample, low: Sample, high: Sample, _ evaluate: (Double) throws -> Sample
  ) rethrows -> Sample? {
    var (low, high) = (low, high)
    for _ in 0..<trials {
      let now = try evaluate(between(low, high))
      if !hasFallen(now, from: origin) || now.value > low.value + rounding(origin) {
        high = now
      } else {
        if abs(now.slope) <= curvature * abs(origin.slope) { return now }
        if now.slope * (high.length - low.length) >= 0 { high = low }
        low = now
      }
      if abs(high.length - low.length) <= 1e-16 * abs(high.length) { break }
    }
    return low.length > 0 ? low : nil
  }

  private func hasFallen(_ now: Sample, from origin: Sample) -> Bool {
    now.value <= origin.value + decrease * now.length * origin.slope + rounding(origin)
  }

  private func rounding(_ origin: Sample) -> Double { 1e-15 * max(1, abs(origin.value)) }

  /// The minimum of the cubic through both ends' values and slopes, kept off the ends.
  private func between(_ a: Sample, _ b: Sample) -> Double {
    let width = b.length - a.length
    let d = a.slope + b.slope - 3 * (b.value - a.value) / width
    let root = (d * d - a.slope * b.slope).squareRoot() * (width < 0 ? -1 : 1)
    let share = 1 - (b.slope + root - d) / (b.slope - a.slope + 2 * root)
    return a.length + width * (share.isFinite ? min(max(share, 0.1), 0.9) : 0.5)
  }
}
