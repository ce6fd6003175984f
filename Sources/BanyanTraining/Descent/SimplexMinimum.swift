/// The minimum of a convex function on the simplex `{w : wᵢ ≥ 0, Σ wᵢ = 1}`, from its gradient.
///
/// Mass moves from the place with the steepest slope to the one with the least, by as much as lowers the function most, until
/// no two places differ: few tasks need no better method, and the answer does not depend on a random start.
enum SimplexMinimum {
  static func point(_ count: Int, gradient: ([Double]) -> [Double]) -> [Double] {
    var point = [Double](repeating: 1 / Double(count), count: count)
    for _ in 0..<(200 * count) {
      let slope = gradient(point)
      guard let up = slope.indices.min(by: { slope[$0] < slope[$1] }),
        let down = slope.indices.filter({ point[$0] > 0 }).max(by: { slope[$0] < slope[$1] })
      else { break }
      let scale = slope.map(abs).max() ?? 0
      guard slope[down] - slope[up] > 1e-12 * scale else { break }
      func moved(_ mass: Double) -> [Double] {
        var next = point
        next[up] += mass
        next[down] -= mass
        return next
      }
      func rises(_ mass: Double) -> Bool {
        let slope = gradient(moved(mass))
        return slope[up] >= slope[down]
      }
      guard rises(point[down]) else {
        point = moved(point[down])
        point[down] = 0
        continue
      }
      var (low, high) = (0.0, point[down])
      for _ in 0..<60 {
        let middle = (low + high) / 2
        if rises(middle) { high = middle } else { low = middle }
      }
      // Half-way between two neighbouring numbers nothing moves any more.
      guard high > 0, moved((low + high) / 2) != point else { break }
      point = moved((low + high) / 2)
    }
    return point
  }
}
