import BanyanFoundation
import BanyanTensor
import Testing

/// One op with operands at which its derivative is checked.
struct GradientCase: Sendable, CustomTestStringConvertible {
  /// What is checked, for the test's name.
  let name: String
  /// The names of the C header that the case exercises.
  let covers: [String]
  /// Makes the operands with respect to which gradients are checked.
  let operands: @Sendable () throws -> [Tensor]
  /// The op.
  let op: @Sendable ([Tensor]) throws -> Tensor

  init(
    _ name: String, _ covers: String..., operands: @escaping @Sendable () throws -> [Tensor],
    op: @escaping @Sendable ([Tensor]) throws -> Tensor
  ) {
    self.name = name
    self.covers = covers
    self.operands = operands
    self.op = op
  }

  var testDescription: String { name }

  /// The largest difference between the engine's gradient and central differences, relative to the largest gradient.
  func error() throws -> Double {
    let start = try operands()
    let leaves = try start.map { try $0.asParameter() }
    let output = try op(leaves)
    let cotangent = try random(output.shape, "cotangent \(name)")
    let gradients = try Gradients.of([output], cotangents: [cotangent], with: leaves)
    var worst = 0.0
    for (index, gradient) in gradients.enumerated() {
      let found = try gradient.doubles()
      let expected = try differences(start, index, cotangent)
      let scale = max(1, (found + expected).map { Swift.abs($0) }.max() ?? 0)
      for (a, b) in zip(found, expected) {
        let difference = Swift.abs(a - b) / scale
        worst = difference.isNaN ? .infinity : max(worst, difference)
      }
      if found.count != expected.count || gradient.shape != start[index].shape { worst = .infinity }
    }
    return worst
  }

  /// `(f(x + h) − f(x − h)) / 2h` for each element of operand `index`, with `f = ⟨op, cotangent⟩`.
  ///
  /// The two halves are added up after the outputs are subtracted, so that rounding stays far below the tolerance.
  private func differences(_ start: [Tensor], _ index: Int, _ cotangent: Tensor) throws -> [Double] {
    let step = 1e-5
    let base = try start[index].doubles()
    let weights = try cotangent.doubles()
    return try base.indices.map { element in
      func outputs(_ change: Double) throws -> [Double] {
        var moved = base
        moved[element] += change
        var operands = start
        operands[index] = try Tensor(moved, shape: start[index].shape)
        return try op(operands).doubles()
      }
      let (above, below) = (try outputs(step), try outputs(-step))
      var sum = 0.0
      for i in weights.indices { sum += (above[i] - below[i]) * weights[i] }
      return sum / (2 * step)
    }
  }
}
