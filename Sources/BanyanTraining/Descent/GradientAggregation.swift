public import BanyanFoundation
import Foundation

/// How the gradients of several tasks become the direction of one step, for parameters that they share.
///
/// Every rule answers with weights `w`, and the step follows `d = Σ wᵢ gᵢ`. The weights are functions of the inner products
/// `Gᵢⱼ = ⟨gᵢ, gⱼ⟩` alone. Rules that are published as a convex combination are scaled by the number of tasks `T`, so that
/// for equal gradients each of them is the sum, and one learning rate serves all.
public enum GradientAggregation: String, NamedChoice {
  /// `w = 1`.
  case sum
  /// Each gradient loses what points against another one; Yu et al., *Gradient Surgery for Multi-Task Learning*, NeurIPS
  /// 2020. For each `i`, over the other tasks `j` in a random order, where `⟨d, gⱼ⟩ < 0`: `d ← d − ⟨d, gⱼ⟩ / ‖gⱼ‖² · gⱼ`;
  /// the `d` are summed.
  case pcgrad
  /// The shortest vector of the gradients' convex hull, times `T`; Sener and Koltun, *Multi-Task Learning as
  /// Multi-Objective Optimization*, NeurIPS 2018.
  case mgda
  /// The direction within `c ‖g₀‖` of the mean `g₀` that improves the worst task most, times `T / (1 + c)`; Liu et al.,
  /// *Conflict-Averse Gradient Descent for Multi-task Learning*, NeurIPS 2021.
  case cagrad
  /// The direction with equal projections on all gradients' directions, `Σ w = T`; Liu et al., *Towards Impartial
  /// Multi-task Learning*, ICLR 2021.
  case imtlG = "imtl-g"
  /// The bargaining solution `G w = 1/w`, with `G` divided by its Frobenius norm; Navon et al., *Multi-Task Learning as a
  /// Bargaining Game*, ICML 2022.
  case nash

  /// The weights of the gradients.
  ///
  /// - Parameters:
  ///   - products: `G`, symmetric, one row a task.
  ///   - radius: `c` of ``cagrad``.
  ///   - generator: Draws the orders of ``pcgrad``.
  package func weights(_ products: [[Double]], radius: Double, generator: inout SeededGenerator) -> [Double] {
    let count = products.count
    let ones = [Double](repeating: 1, count: count)
    // Tasks without a gradient have no say; the others' rules divide by its length.
    let alive = (0..<count).filter { products[$0][$0] > 0 && products[$0][$0].isFinite }
    guard self != .sum, alive.count > 1 else { return ones }
    let inner = alive.map { row in alive.map { products[row][$0] } }
    let found =
      switch self {
      case .sum: ones
      case .pcgrad: Self.withoutConflicts(inner, &generator)
      case .mgda: Self.shortest(inner)
      case .cagrad: Self.conflictAverse(inner, radius: radius)
      case .imtlG: Self.impartial(inner)
      case .nash: Self.bargained(inner)
      }
    var weights = ones
    for (place, task) in alive.enumerated() { weights[task] = found[place] }
    return weights
  }

  private static func withoutConflicts(_ products: [[Double]], _ generator: inout SeededGenerator) -> [Double] {
    let count = products.count
    var sum = [Double](repeating: 0, count: count)
    for task in 0..<count {
      // The projected gradient is a combination of all gradients; these are its coefficients.
      var own = [Double](repeating: 0, count: count)
      own[task] = 1
      for other in (0..<count).filter({ $0 != task }).shuffled(using: &generator) {
        let product = dot(own, products[other])
        if product < 0 { own[other] -= product / products[other][other] }
      }
      for place in 0..<count { sum[place] += own[place] }
    }
    return sum
  }

  private static func shortest(_ products: [[Double]]) -> [Double] {
    SimplexMinimum.point(products.count) { point in products.map { dot($0, point) } }.map {
      $0 * Double(products.count)
    }
  }

  private static func conflictAverse(_ products: [[Double]], radius: Double) -> [Double] {
    let count = Double(products.count)
    let towardsMean = products.map { $0.reduce(0, +) / count }
    let reach = radius * max(0, towardsMean.reduce(0, +) / count).squareRoot()
    func length(_ point: [Double]) -> Double { max(0, dot(point, products.map { dot($0, point) })).squareRoot() }
    let point = SimplexMinimum.point(products.count) { point in
      let length = length(point)
      return zip(products, towardsMean).map { $1 + (length > 0 ? reach * dot($0, point) / length : 0) }
    }
    let length = length(point)
    return point.map { (1 / count + (length > 0 ? reach * $0 / length : 0)) * count / (1 + radius) }
  }

  private static func impartial(_ products: [[Double]]) -> [Double] {
    let lengths = products.indices.map { products[$0][$0].squareRoot() }
    // On unit gradients: cosines · b = 1. A little on the diagonal leads opposite gradients to a step of length zero.
    let cosines = products.indices.map { i in
      products.indices.map { j in products[i][j] / (lengths[i] * lengths[j]) + (i == j ? 1e-12 : 0) }
    }
    let ones = [Double](repeating: 1, count: products.count)
    guard let solution = PositiveDefiniteSystem.solve(cosines, ones) else { return ones }
    let weights = zip(solution, lengths).map { $0 / $1 }
    let total = abs(weights.reduce(0, +))
    return total > 0 ? weights.map { $0 / total * Double(products.count) } : ones
  }

  private static func bargained(_ products: [[Double]]) -> [Double] {
    let norm = products.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
    let scaled = products.map { $0.map { $0 / norm } }
    var point = scaled.indices.map { 1 / (scaled[$0][$0] * Double(scaled.count)).squareRoot() }
    // G w = 1/w is where the convex function ½ wᵀ G w − Σ log w has its minimum.
    func value(_ point: [Double]) -> Double {
      guard point.allSatisfy({ $0 > 0 }) else { return .infinity }
      return zip(scaled, point).reduce(0) { $0 + dot($1.0, point) * $1.1 / 2 - log($1.1) }
    }
    for _ in 0..<200 {
      let slope = zip(scaled, point).map { dot($0, point) - 1 / $1 }
      if zip(slope, point).allSatisfy({ abs($0 * $1) < 1e-12 }) { break }
      let curvature = scaled.indices.map { i in
        scaled.indices.map { j in scaled[i][j] + (i == j ? 1 / (point[i] * point[i]) : 0) }
      }
      guard let direction = PositiveDefiniteSystem.solve(curvature, slope) else { break }
      let (before, descent) = (value(point), dot(slope, direction))
      var size = 1.0
      var next = zip(point, direction).map { $0 - $1 }
      while value(next) > before - 1e-4 * size * descent, size > 1e-12 {
        size /= 2
        next = zip(point, direction).map { $0 - size * $1 }
      }
      guard size > 1e-12 else { break }
      point = next
    }
    return point
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}
