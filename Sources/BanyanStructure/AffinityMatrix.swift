import BanyanFoundation

/// How much every pair of tasks helps each other: a symmetric matrix with one named row per task.
///
/// ``TaskTree`` is what clustering makes of it; this is the measurement itself. Rows and columns are in task order,
/// and a larger value means more alike. For cosine affinities the diagonal is 1; other kinds (dot products, look-ahead
/// gains) may hold any finite number there.
///
///     values[i][j] = values[j][i]        // [tasks, tasks]
public struct AffinityMatrix: Sendable, Equatable {
  /// The tasks' names, in task order, all different.
  public let names: [String]
  /// The affinities, `[tasks, tasks]`.
  public let values: [[Double]]

  /// The number of tasks.
  public var count: Int { names.count }

  /// Creates a matrix from values that are already symmetric (to 1e-9, relative for values above 1).
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names the rows concerned where the matrix is empty, not
  ///   square, not finite or not symmetric, or where two tasks have one name.
  public init(names: [String], values: [[Double]]) throws {
    try Self.checkSquare(names: names, values: values)
    for i in names.indices {
      for j in 0..<i {
        let (a, b) = (values[i][j], values[j][i])
        guard abs(a - b) <= 1e-9 * max(1, abs(a), abs(b)) else {
          throw BanyanError(
            .malformed, at: "affinity of \(names[i]) and \(names[j])",
            "expected the same value in both directions, found \(a) and \(b)",
            remedy: "Use AffinityMatrix.symmetrised for a directed measure.")
        }
      }
    }
    self.names = names
    self.values = values
  }

  /// The affinity of tasks `i` and `j`.
  public subscript(i: Int, j: Int) -> Double { values[i][j] }

  static func checkSquare(names: [String], values: [[Double]]) throws {
    try TaskNames.check(names)
    guard values.count == names.count else {
      throw BanyanError(
        .malformed, at: "affinity matrix", "expected \(names.count) rows, one per task, found \(values.count)")
    }
    for (name, row) in zip(names, values) {
      guard row.count == names.count else {
        throw BanyanError(
          .malformed, at: "affinity matrix: row \(name)", "expected \(names.count) values, found \(row.count)")
      }
      if let column = row.firstIndex(where: { !$0.isFinite }) {
        throw BanyanError(
          .malformed, at: "affinity of \(name) and \(names[column])", "expected a finite number, found \(row[column])",
          remedy: "Measure the affinity again with a smaller learning rate, so that no gradient is zero or overflows.")
      }
    }
  }
}
