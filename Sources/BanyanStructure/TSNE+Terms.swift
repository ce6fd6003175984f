import Foundation

extension TSNE {
  /// The joint probabilities of neighbourhoods, [n · n]; they sum to one.
  package static func jointProbabilities(_ squared: [Double], count n: Int, perplexity: Double) -> [Double] {
    let wanted = log(perplexity)
    var conditional = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      var (beta, low, high) = (1.0, -Double.infinity, Double.infinity)
      // Nearest neighbours at nought: exponents do not underflow where all are far.
      let nearest = (0..<n).lazy.filter { $0 != i }.map { squared[i * n + $0] }.min() ?? 0
      for _ in 0..<100 {
        var (sum, weighted) = (0.0, 0.0)
        for j in 0..<n where j != i {
          let distance = squared[i * n + j] - nearest
          let weight = exp(-distance * beta)
          conditional[i * n + j] = weight
          sum += weight
          weighted += weight * distance
        }
        for j in 0..<n where j != i { conditional[i * n + j] /= sum }
        let surplus = log(sum) + beta * weighted / sum - wanted
        if abs(surplus) <= 1e-5 { break }
        if surplus > 0 {
          low = beta
          beta = high.isInfinite ? beta * 2 : (beta + high) / 2
        } else {
          high = beta
          beta = low.isInfinite ? beta / 2 : (beta + low) / 2
        }
      }
    }
    var joint = conditional
    for i in 0..<n {
      for j in 0..<n { joint[i * n + j] = (conditional[i * n + j] + conditional[j * n + i]) / (2 * Double(n)) }
    }
    return joint
  }

  /// The gradient of `KL(exaggeration · p ‖ q)` for the places `y` (x and y of each in turn), and its value without
  /// exaggeration.
  package static func gradient(_ p: [Double], _ y: [Double], exaggeration: Double) -> (
    gradient: [Double], divergence: Double
  ) {
    let n = y.count / 2
    var near = [Double](repeating: 0, count: n * n)
    var total = 0.0
    for i in 0..<n {
      for j in 0..<i {
        let (dx, dy) = (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1])
        let value = 1 / (1 + dx * dx + dy * dy)
        near[i * n + j] = value
        total += 2 * value
      }
    }
    var gradient = [Double](repeating: 0, count: 2 * n)
    var divergence = 0.0
    for i in 0..<n {
      for j in 0..<i {
        let (wanted, value) = (p[i * n + j], near[i * n + j])
        let found = max(value / total, 2.3e-16)
        let pull = 4 * (exaggeration * wanted - found) * value
        let (dx, dy) = (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1])
        gradient[2 * i] += pull * dx
        gradient[2 * i + 1] += pull * dy
        gradient[2 * j] -= pull * dx
        gradient[2 * j + 1] -= pull * dy
        if wanted > 0 { divergence += 2 * wanted * log(wanted / found) }
      }
    }
    return (gradient, divergence)
  }

  /// The two axes along which points of these distances spread most, x and y of each point in turn.
  ///
  /// Eigenvectors of the doubly centred matrix `−½ J D² J`, by orthogonal iteration; the largest entry of each is positive.
  package static func classicalScaling(_ squared: [Double], count n: Int) -> [Double] {
    let rows = (0..<n).map { i in (0..<n).reduce(0.0) { $0 + squared[i * n + $1] } / Double(n) }
    let mean = rows.reduce(0, +) / Double(n)
    func product(_ v: [Double]) -> [Double] {
      (0..<n).map { i in
        var sum = 0.0
        for j in 0..<n { sum += -0.5 * (squared[i * n + j] - rows[i] - rows[j] + mean) * v[j] }
        return sum
      }
    }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func unit(_ v: [Double]) -> [Double] {
      let length = dot(v, v).squareRoot()
      return length > 1e-300 ? v.map { $0 / length } : [Double](repeating: 0, count: n)
    }
    // Starts that no point is left out of and that lie along no axis by chance.
    var axes = [0.0, 1].map { shift in unit((0..<n).map { sin(Double($0) * 0.7 + 1 + 2 * shift) + 1e-3 * Double($0) }) }
    var lengths = [0.0, 0]
    for _ in 0..<300 {
      var next = axes.map(product)
      lengths = zip(axes, next).map(dot)
      next[0] = unit(next[0])
      let along = dot(next[1], next[0])
      next[1] = unit(zip(next[1], next[0]).map { $0 - along * $1 })
      // An axis of a negative eigenvalue turns round in every step, and has no length in the end.
      let moved = zip(axes, next).map { axis, new in zip(axis, new).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      axes = next
      if moved.allSatisfy({ $0 < 1e-26 }) { break }
    }
    let signed = zip(axes, lengths).map { axis, length -> [Double] in
      let largest = axis.max { abs($0) < abs($1) } ?? 0
      let scale = max(0, length).squareRoot() * (largest < 0 ? -1 : 1)
      return axis.map { $0 * scale }
    }
    return (0..<n).flatMap { [signed[0][$0], signed[1][$0]] }
  }

  /// The same places with a standard deviation of 1e-4 along the first axis.
  static func scaled(_ y: [Double], count n: Int) -> [Double] {
    let xs = (0..<n).map { y[2 * $0] }
    let mean = xs.reduce(0, +) / Double(n)
    let deviation = (xs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)).squareRoot()
    // Points that are all one have no axis: a small circle, so that the steps have somewhere to go.
    guard deviation > 0 else {
      return (0..<n).flatMap { point -> [Double] in
        let angle = 2 * Double.pi * Double(point) / Double(n)
        return [1e-4 * cos(angle), 1e-4 * sin(angle)]
      }
    }
    let scaled = y.map { $0 / deviation * 1e-4 }
    // On a line no force points off it: a hint of a second axis.
    let isLine = (0..<n).allSatisfy { abs(scaled[2 * $0 + 1]) < 1e-12 }
    return isLine ? (0..<n).flatMap { [scaled[2 * $0], 1e-6 * sin(1.3 * Double($0) + 1)] } : scaled
  }
}
