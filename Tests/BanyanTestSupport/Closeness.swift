public import BanyanTensor

/// Two tensors that should agree and do not, told by their worst element.
public struct Disagreement: Error, CustomStringConvertible {
  /// What differs, where, and by how much.
  public let description: String

  /// Creates a disagreement; it names the ways through the towers where they are not the fast ones.
  public init(_ description: String) {
    let ways = EncodingWays.current
    self.description = ways == .fast ? description : "\(description) (\(ways))"
  }
}

/// Compares `actual` with `expected` element by element.
///
/// The allowed difference is that of ``Tolerance`` times the largest entry of `expected`, or times 1 where that is less
/// than `floor`.
///
/// - Parameters:
///   - path: What the tensors are called in a failure.
///   - floor: The size below which the largest entry counts as this much; zero for purely relative comparisons.
/// - Returns: The largest difference, relative to the largest entry.
/// - Throws: A ``Disagreement`` with the path, index and both values of the worst element.
@discardableResult
public func agree(
  _ actual: Tensor, _ expected: Tensor, _ path: String, within tolerance: Tolerance, floor: Double = 1e-30
) throws -> Double {
  guard actual.shape == expected.shape else {
    throw Disagreement("\(path): expected shape \(expected.shape), found \(actual.shape)")
  }
  return try agree(
    try actual.doubles(), try expected.doubles(), path, within: tolerance, floor: floor, shape: expected.shape)
}

/// Compares numbers in a row, as ``agree(_:_:_:within:floor:)`` does tensors.
@discardableResult
public func agree(
  _ actual: [Double], _ expected: [Double], _ path: String, within tolerance: Tolerance, floor: Double = 1e-30,
  shape: [Int]? = nil
) throws -> Double {
  guard actual.count == expected.count else {
    throw Disagreement("\(path): expected \(expected.count) numbers, found \(actual.count)")
  }
  let size = max(floor, expected.reduce(0) { max($0, abs($1)) })
  var worst = 0
  var largest = -1.0
  for (index, (a, b)) in zip(actual, expected).enumerated() {
    let gap = (a - b).isNaN ? Double.infinity : abs(a - b)
    if gap > largest { (worst, largest) = (index, gap) }
  }
  guard !actual.isEmpty else { return 0 }
  guard largest <= tolerance.relative * size else {
    throw Disagreement(
      "\(path)\(place(worst, in: shape ?? [actual.count])): expected \(expected[worst]), found \(actual[worst]); "
        + "off by \(largest / size) of the largest entry \(size), allowed \(tolerance.relative)")
  }
  return largest / size
}

/// The index of element `flat` along every axis, as in `[3, 0, 17]`.
private func place(_ flat: Int, in shape: [Int]) -> String {
  var rest = flat
  let indices = shape.reversed().map { extent in
    defer { rest /= max(1, extent) }
    return rest % max(1, extent)
  }
  return "\(Array(indices.reversed()))"
}
