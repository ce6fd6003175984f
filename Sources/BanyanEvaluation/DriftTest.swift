import BanyanFoundation
import Foundation

/// What a classifier saw of some pictures: their features, how sure it was, and what it took them for.
public struct PictureWindow: Sendable {
  /// Unit image features, one row a picture.
  public var features: [[Float]]
  /// The largest probability of each picture.
  public var confidences: [Double]
  /// The class that each picture was taken for.
  public var labels: [Int]

  /// Describes pictures.
  public init(features: [[Float]], confidences: [Double], labels: [Int]) {
    (self.features, self.confidences, self.labels) = (features, confidences, labels)
  }

  /// How many pictures there are.
  public var count: Int { features.count }
}

/// Whether two sets of pictures could be of one source, by permutation.
///
/// Both sets are pooled; in the pool's leading principal components, whitened, five things are compared:
///
///     mean         T² = n m / (n + m) · Σⱼ (x̄ⱼ − r̄ⱼ)² / λⱼ
///     covariance   ‖S_x − S_r‖²_F of the whitened components
///     residual     the difference of the mean squared lengths outside of the components
///     confidence   Kolmogorov's and Smirnov's largest difference of the two distribution functions
///     label mix    χ² of the counts of predicted classes
///
/// The same is done for random halves of the pool of the same sizes; a p-value is the share of them that differ as much. Where both
/// sets are of one source every division is as likely, so that false alarms are as rare as is asked for, whatever the
/// features' distribution. The five are put together by their smallest p-value, compared with the smallest p-values of the same
/// divisions (Westfall and Young, *Resampling-Based Multiple Testing*, 1993).
public struct DriftTest: Sendable {
  /// What is compared.
  public enum Aspect: String, Codable, Sendable, CaseIterable {
    case mean, covariance, residual, confidence, labels
  }

  /// What came out.
  public struct Outcome: Codable, Sendable, Equatable {
    /// The p-value of all aspects together.
    public var pValue: Double
    /// The statistic of each aspect, by name.
    public var statistics: [String: Double]
    /// The p-value of each aspect alone, by name.
    public var pValues: [String: Double]
    /// The aspect that differs most.
    public var foremost: Aspect
    /// How many pictures were compared with how many.
    public var counts: [Int]
  }

  /// How many principal components are looked at.
  public var components: Int
  /// How many random divisions.
  public var draws: Int
  /// Of the divisions.
  public var seed: UInt64

  /// A test.
  public init(components: Int = 12, draws: Int = 999, seed: UInt64 = 1) {
    (self.components, self.draws, self.seed) = (components, draws, seed)
  }

  /// Compares what came in with what was known.
  ///
  /// - Parameters:
  ///   - window: What came in.
  ///   - reference: What was known.
  ///   - shouldStop: Asked before every draw.
  /// - Throws: A `BanyanError` of kind `usage` where a set has fewer than eight pictures or the widths differ, `interrupted`
  ///   where it was stopped.
  public func compare(
    _ window: PictureWindow, with reference: PictureWindow, shouldStop: () -> Bool = { false }
  ) throws -> Outcome {
    let width = reference.features.first?.count ?? 0
    for (name, set) in [("window", window), ("reference", reference)] {
      guard set.count >= 8, set.confidences.count == set.count, set.labels.count == set.count,
        set.features.allSatisfy({ $0.count == width }), set.labels.allSatisfy({ $0 >= 0 })
      else {
        throw BanyanError(
          .usage, at: "drift: \(name)",
          "expected 8 pictures or more with features of width \(width), found \(set.count)",
          remedy: "Wait for more pictures.")
      }
    }
    let pool = Pool(window, reference, components: components, seed: seed)
    let observed = pool.statistics(Array(0..<window.count))
    var generator = SeededGenerator(seed: seed, label: "drift")
    var order = Array(0..<window.count + reference.count)
    var drawn: [[Double]] = []
    for draw in 0..<draws {
      if shouldStop() { throw BanyanError(.interrupted, at: "drift", "stopped at draw \(draw) of \(draws)") }
      // The first places of a shuffle are a random choice.
      for place in 0..<window.count {
        order.swapAt(place, place + generator.integer(below: order.count - place))
      }
      drawn.append(pool.statistics(Array(order[0..<window.count])))
    }
    let all = [observed] + drawn
    // The rank of every division in every aspect, the observed one among them.
    let ranks = Aspect.allCases.indices.map { aspect in Self.pValues(all.map { $0[aspect] }) }
    let smallest = all.indices.map { division in ranks.map { $0[division] }.min() ?? 1 }
    let joint = Double(smallest.count { $0 <= smallest[0] + 1e-12 }) / Double(all.count)
    let foremost = Aspect.allCases.indices.min { (ranks[$0][0], $0) < (ranks[$1][0], $1) } ?? 0
    func named(_ values: [Double]) -> [String: Double] {
      Dictionary(uniqueKeysWithValues: zip(Aspect.allCases.map(\.rawValue), values))
    }
    return Outcome(
      pValue: joint, statistics: named(observed), pValues: named(ranks.map { $0[0] }),
      foremost: Aspect.allCases[foremost], counts: [window.count, reference.count])
  }

  /// For each value the share of all that are as large.
  private static func pValues(_ values: [Double]) -> [Double] {
    let sorted = values.sorted()
    return values.map { value in
      // The first that is as large.
      var (low, high) = (0, sorted.count)
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle] < value { low = middle + 1 } else { high = middle }
      }
      return Double(sorted.count - low) / Double(sorted.count)
    }
  }
}

/// Both sets together, in whitened principal components.
private struct Pool {
  private let points: [[Double]]
  /// The sums of their products, `Σ pᵢ pⱼ` for `j ≤ i`: the iteration leaves near-equal axes a little correlated.
  private let pooled: [Double]
  private let residuals: [Double]
  private let confidences: [Double]
  /// The places of all pictures in the order of their confidence.
  private let byConfidence: [Int]
  private let labels: [Int]
  private let classCount: Int

  init(_ window: PictureWindow, _ reference: PictureWindow, components: Int, seed: UInt64) {
    let rows = window.features + reference.features
    let (count, width) = (rows.count, rows.first?.count ?? 0)
    var centred = rows.joined().map(Double.init)  // [pictures, width]
    for j in 0..<width {
      let mean = stride(from: j, to: centred.count, by: width).reduce(0) { $0 + centred[$1] } / Double(count)
      for place in stride(from: j, to: centred.count, by: width) { centred[place] -= mean }
    }
    let axes = Self.principalAxes(centred, width: width, count: min(components, width, count - 1), seed: seed)
    func product(_ row: Int, _ other: [Double], _ start: Int) -> Double {
      var sum = 0.0
      for j in 0..<width { sum += centred[row * width + j] * other[start + j] }
      return sum
    }
    var projected: [[Double]] = (0..<count).map { row in axes.map { product(row, $0, 0) } }
    residuals = (0..<count).map { row in
      let within: Double = projected[row].reduce(0) { $0 + $1 * $1 }
      return product(row, centred, row * width) - within
    }
    for j in axes.indices {
      let variance = projected.reduce(0) { $0 + $1[j] * $1[j] } / Double(count)
      // A component in which nothing varies tells nothing.
      let scale = variance > 1e-18 ? 1 / variance.squareRoot() : 0
      for i in projected.indices { projected[i][j] *= scale }
    }
    points = projected
    var products = [Double](repeating: 0, count: axes.count * axes.count)
    for point in projected {
      for i in axes.indices { for j in 0...i { products[i * axes.count + j] += point[i] * point[j] } }
    }
    pooled = products
    confidences = window.confidences + reference.confidences
    byConfidence = confidences.indices.sorted { [confidences] in (confidences[$0], $0) < (confidences[$1], $1) }
    labels = window.labels + reference.labels
    classCount = (labels.max() ?? 0) + 1
  }

  /// The axes of largest variance, by subspace iteration on the covariance from a seeded start.
  private static func principalAxes(_ centred: [Double], width: Int, count: Int, seed: UInt64) -> [[Double]] {
    guard width > 0, count > 0 else { return [] }
    var covariance = [Double](repeating: 0, count: width * width)
    for start in stride(from: 0, to: centred.count, by: width) {
      for i in 0..<width {
        let value = centred[start + i]
        for j in 0...i { covariance[i * width + j] += value * centred[start + j] }
      }
    }
    for i in 0..<width { for j in 0..<i { covariance[j * width + i] = covariance[i * width + j] } }
    var generator = SeededGenerator(seed: seed, label: "axes")
    var axes = (0..<count).map { _ in (0..<width).map { _ in 2 * generator.uniform() - 1 } }
    for _ in 0..<24 {
      axes = orthonormal(axes).map { axis in
        (0..<width).map { i in
          var sum = 0.0
          for j in 0..<width { sum += covariance[i * width + j] * axis[j] }
          return sum
        }
      }
    }
    return orthonormal(axes)
  }

  /// Gram and Schmidt, twice, so that near-equal axes come out orthogonal too; what has no length left is dropped.
  private static func orthonormal(_ axes: [[Double]]) -> [[Double]] {
    var found: [[Double]] = []
    for axis in axes {
      var axis = axis
      let before = axis.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for _ in 0..<2 {
        for other in found {
          let along = zip(axis, other).reduce(0) { $0 + $1.0 * $1.1 }
          for j in axis.indices { axis[j] -= along * other[j] }
        }
      }
      let length = axis.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 1e-10 * before, length > 0 else { continue }
      found.append(axis.map { $0 / length })
    }
    return found
  }

  /// The statistics of the division into `chosen` and the others, in the order of the aspects.
  func statistics(_ chosen: [Int]) -> [Double] {
    let (n, total) = (chosen.count, points.count)
    let rest = total - n
    var isChosen = [Bool](repeating: false, count: total)
    for place in chosen { isChosen[place] = true }
    let width = points.first?.count ?? 0
    // Sums over the chosen; those over the others are what is left of the whole, whose mean is zero.
    var sum = [Double](repeating: 0, count: width)
    var products = [Double](repeating: 0, count: width * width)
    var residual = 0.0
    for place in chosen {
      let point = points[place]
      residual += residuals[place]
      for i in 0..<width {
        sum[i] += point[i]
        for j in 0...i { products[i * width + j] += point[i] * point[j] }
      }
    }
    let (a, b) = (Double(n), Double(rest))
    var shift = 0.0
    var spread = 0.0
    for i in 0..<width {
      let gap = sum[i] / a + sum[i] / b
      shift += gap * gap
      for j in 0...i {
        let own = products[i * width + j] / a - sum[i] * sum[j] / (a * a)
        let other = (pooled[i * width + j] - products[i * width + j]) / b - sum[i] * sum[j] / (b * b)
        spread += (i == j ? 1 : 2) * (own - other) * (own - other)
      }
    }
    let all = residuals.reduce(0, +)
    return [
      shift * a * b / (a + b), spread, abs(residual / a - (all - residual) / b), largestStep(isChosen, a, b),
      mixture(isChosen, a, b),
    ]
  }

  /// The largest difference of the two distribution functions of confidence.
  private func largestStep(_ isChosen: [Bool], _ a: Double, _ b: Double) -> Double {
    var (x, y, largest) = (0.0, 0.0, 0.0)
    for (index, place) in byConfidence.enumerated() {
      if isChosen[place] { x += 1 / a } else { y += 1 / b }
      // Between equal values there is no step.
      let next = index + 1 < byConfidence.count ? confidences[byConfidence[index + 1]] : .infinity
      if next > confidences[place] { largest = max(largest, abs(x - y)) }
    }
    return largest
  }

  /// χ² of two rows of counts.
  private func mixture(_ isChosen: [Bool], _ a: Double, _ b: Double) -> Double {
    var counts = [(Double, Double)](repeating: (0, 0), count: classCount)
    for (place, label) in labels.enumerated() {
      if isChosen[place] { counts[label].0 += 1 } else { counts[label].1 += 1 }
    }
    return counts.reduce(0) { sum, pair in
      let whole = pair.0 + pair.1
      guard whole > 0 else { return sum }
      let (x, y) = (whole * a / (a + b), whole * b / (a + b))
      return sum + (pair.0 - x) * (pair.0 - x) / x + (pair.1 - y) * (pair.1 - y) / y
    }
  }
}
