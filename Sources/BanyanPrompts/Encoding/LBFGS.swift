/// Minimises a smooth function of many numbers by the limited-memory BFGS method, in double precision.
///
/// Unlike the optimizers of training it takes the whole function at every step, has no rate, and ends by itself:
///
///     x ← x − t · H g,   H from the last pairs s = Δx, y = Δg,   t by a strong Wolfe search
///
/// Paper: Liu and Nocedal, *On the Limited Memory BFGS Method for Large Scale Optimization*, Mathematical Programming
/// 1989. Deterministic: the same function gives the same bytes.
struct LBFGS: Sendable {
  /// How many pairs `(s, y)` are remembered.
  var history = 10
  /// It has converged where no entry of the gradient is larger.
  var tolerance = 1e-10
  /// It ends after so many steps even where it has not converged.
  var maxIterations = 2000

  /// The point that is reached from `start`: the minimum, or where rounding or ``maxIterations`` ended the search.
  func minimum(
    from start: [Double], _ function: ([Double]) throws -> (value: Double, gradient: [Double])
  ) rethrows -> [Double] {
    let first = try function(start)
    var now = WolfeSearch.Sample(length: 0, slope: 0, point: start, value: first.value, gradient: first.gradient)
    var pairs: [Pair] = []
    for _ in 0..<maxIterations {
      if now.gradient.allSatisfy({ abs($0) <= tolerance }) { break }
      var direction = Self.direction(now.gradient, pairs)
      var slope = dot(now.gradient, direction)
      if !(slope < 0) {
        pairs = []
        direction = now.gradient.map { -$0 }
        slope = dot(now.gradient, direction)
      }
      now.length = 0
      now.slope = slope
      // The first step has no curvature to go by: it has length one at most.
      let trial = pairs.isEmpty ? min(1, 1 / (-slope).squareRoot()) : 1
      let found = try WolfeSearch().sample(from: now, first: trial) { length in
        let point = zip(now.point, direction).map { $0 + length * $1 }
        let (value, gradient) = try function(point)
        return WolfeSearch.Sample(
          length: length, slope: dot(gradient, direction), point: point, value: value, gradient: gradient)
      }
      guard let next = found else {
        // Rounding may have spoilt the pairs: once more along the gradient, then it is as good as it gets.
        if pairs.isEmpty { break }
        pairs = []
        continue
      }
      let pair = Pair(
        s: zip(next.point, now.point).map { $0 - $1 }, y: zip(next.gradient, now.gradient).map { $0 - $1 })
      if pair.curvature > 1e-300 { pairs = pairs.suffix(history - 1) + [pair] }
      now = next
    }
    return now.point
  }

  /// `−H g` by the two loops over the pairs.
  private static func direction(_ gradient: [Double], _ pairs: [Pair]) -> [Double] {
    var q = gradient
    var shares: [Double] = []
    for pair in pairs.reversed() {
      let share = dot(pair.s, q) / pair.curvature
      add(-share, pair.y, to: &q)
      shares.append(share)
    }
    if let last = pairs.last {
      let scale = last.curvature / dot(last.y, last.y)
      for index in q.indices { q[index] *= scale }
    }
    for (pair, share) in zip(pairs, shares.reversed()) { add(share - dot(pair.y, q) / pair.curvature, pair.s, to: &q) }
    return q.map { -$0 }
  }

  /// A step and the change of the gradient over it.
  private struct Pair {
    let s: [Double]
    let y: [Double]
    let curvature: Double

    init(s: [Double], y: [Double]) {
      (self.s, self.y) = (s, y)
      curvature = dot(s, y)
    }
  }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}

private func add(_ scale: Double, _ a: [Double], to b: inout [Double]) {
  for index in b.indices { b[index] += scale * a[index] }
}
