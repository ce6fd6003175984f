import BanyanFoundation

/// The precision of a layer's prior where the precision of its filters is at its optimum.
///
/// For a quadratic loss with curvature `H_f` the objective of ``VariationalFisher`` is smallest at `Λ_f = H_f/β + λ²`, and in
/// `λ²` where `1/λ² = mean w² + mean 1/Λ`, weights counted alike. Together: the root `s` of
///
///     mean_f [ (H_f/β) / (s (H_f/β + s)) ] = mean w²
///
/// whose left side falls from ∞ to 0. A Monte Carlo estimate takes its prior from here, so that both estimators mean the
/// same by it.
package enum FisherPrior {
  /// `β λ²`.
  ///
  /// - Parameters:
  ///   - fisher: `H_f` of the layer's filters, which have equally many weights.
  ///   - meanSquare: `mean w²` of the layer.
  ///   - beta: `β`.
  package static func precision(_ fisher: [Double], meanSquare: Double, beta: Double) -> Double {
    // In units of Fisher information, t = β s: mean [F / (t (F + t))] = mean w² / β.
    let target = meanSquare / beta
    func left(_ t: Double) -> Double {
      fisher.reduce(0) { $0 + ($1 > 0 ? $1 / (t * ($1 + t)) : 0) } / Double(max(1, fisher.count))
    }
    // A layer that the task asks nothing of, or without weights: the smallest prior that still is one.
    guard target > 0, target.isFinite, fisher.contains(where: { $0 > 0 }) else { return smallest }
    var (low, high) = (smallest, 1.0)
    while left(high) > target, high < 1e300 { high *= 16 }
    for _ in 0..<400 {
      let middle = (low * high).squareRoot()
      if middle <= low || middle >= high { break }
      if left(middle) > target { low = middle } else { high = middle }
    }
    return max(smallest, (low * high).squareRoot())
  }

  private static let smallest = 1e-30
}
