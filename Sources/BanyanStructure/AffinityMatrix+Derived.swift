import BanyanFoundation

extension AffinityMatrix {
  /// The element-wise mean of matrices over the same tasks in the same order, such as those of several seeds.
  ///
  /// - Throws: A `BanyanError` where there is none, or where the tasks differ.
  public static func mean(of matrices: [AffinityMatrix]) throws -> AffinityMatrix {
    guard let first = matrices.first else {
      throw BanyanError(.usage, at: "mean of affinity matrices", "expected at least one matrix, found none")
    }
    for (index, matrix) in matrices.enumerated() where matrix.names != first.names {
      throw BanyanError(
        .malformed, at: "mean of affinity matrices: matrix \(index + 1)",
        "expected the tasks \(first.names.joined(separator: ", ")), found \(matrix.names.joined(separator: ", "))")
    }
    let share = 1 / Double(matrices.count)
    let values = first.names.indices.map { i in
      first.names.indices.map { j in matrices.reduce(0) { $0 + $1.values[i][j] * share } }
    }
    return try AffinityMatrix(names: first.names, values: values)
  }

  /// The mean of a directed measure and its transpose: `(values + valuesᵀ) / 2`.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where the values are not square or not finite.
  public static func symmetrised(names: [String], values: [[Double]]) throws -> AffinityMatrix {
    try checkSquare(names: names, values: values)
    let mean = names.indices.map { i in names.indices.map { j in values[i][j] / 2 + values[j][i] / 2 } }
    return try AffinityMatrix(names: names, values: mean)
  }

  /// The same affinities with the tasks in another order: new task `i` is the old task `order[i]`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `order` does not hold every index once.
  public func permuted(_ order: [Int]) throws -> AffinityMatrix {
    try TaskNames.checkPermutation(order, count: count)
    return try AffinityMatrix(
      names: order.map { names[$0] }, values: order.map { i in order.map { j in values[i][j] } })
  }
}

extension AffinityMatrix: Codable {
  private enum CodingKeys: String, CodingKey { case names, values }

  /// Decodes `{"names": […], "values": [[…]]}` and checks it as ``init(names:values:)`` does.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      names: container.decode([String].self, forKey: .names), values: container.decode([[Double]].self, forKey: .values)
    )
  }

  /// Encodes the names and the values.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(names, forKey: .names)
    try container.encode(values, forKey: .values)
  }
}
