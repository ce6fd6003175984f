/// Linear equations with a small symmetric matrix that is positive definite.
enum PositiveDefiniteSystem {
  /// `x` with `matrix · x = right`, by Cholesky's factors; `nil` where the matrix is not positive definite.
  static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double]? {
    let count = right.count
    var factor = matrix
    for column in 0..<count {
      for row in column..<count {
        let known = (0..<column).reduce(0) { $0 + factor[row][$1] * factor[column][$1] }
        let rest = matrix[row][column] - known
        if row == column {
          guard rest > 0 else { return nil }
          factor[row][row] = rest.squareRoot()
        } else {
          factor[row][column] = rest / factor[column][column]
        }
      }
    }
    var solution = right
    for row in 0..<count {
      let known = (0..<row).reduce(0) { $0 + factor[row][$1] * solution[$1] }
      solution[row] = (solution[row] - known) / factor[row][row]
    }
    for row in (0..<count).reversed() {
      let known = (row + 1..<count).reduce(0) { $0 + factor[$1][row] * solution[$1] }
      solution[row] = (solution[row] - known) / factor[row][row]
    }
    return solution
  }
}
