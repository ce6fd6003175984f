import BanyanTensor
import Foundation
import Testing

@Suite("Numbers of every op")
struct ValueTests {
  private func scalars(_ values: [Double], _ op: (Tensor) throws -> Tensor, _ reference: (Double) -> Double) throws {
    try expectValues(op(Tensor(values, shape: [values.count])), values.map(reference), shape: [values.count])
  }

  @Test("element-wise functions agree with Foundation's")
  func unary() throws {
    let line = (-40...40).map { Double($0) / 5 }
    let above = line.map { Swift.abs($0) + 0.1 }
    try scalars(line, { try -$0 }) { -$0 }
    try scalars(line, { try $0.exp() }) { exp($0) }
    try scalars(above, { try $0.log() }) { log($0) }
    try scalars(above, { try $0.sqrt() }) { $0.squareRoot() }
    try scalars(line, { try $0.abs() }) { Swift.abs($0) }
    try scalars(line, { try $0.squared() }) { $0 * $0 }
    try scalars(line, { try $0.tanh() }) { tanh($0) }
    try scalars(line, { try $0.sigmoid() }) { 1 / (1 + exp(-$0)) }
    try scalars(line, { try $0.relu() }) { max($0, 0) }
    try scalars(line, { try $0.gelu() }) { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) }
    try scalars(line, { try $0.quickGELU() }) { $0 / (1 + exp(-1.702 * $0)) }
    try scalars(line, { try $0.affine(scale: 2, shift: -3) }) { 2 * $0 - 3 }
    try scalars(line, { try $0 * 0.5 + 1 }) { 0.5 * $0 + 1 }
  }

  @Test("binary ops broadcast")
  func binary() throws {
    let a = try Tensor([1.0, 2, 3, 4], shape: [2, 2])
    let b = try Tensor([10.0, 20], shape: [2])
    let column = try Tensor([10.0, 20], shape: [2, 1])
    try expectValues(a + b, [11, 22, 13, 24], shape: [2, 2])
    try expectValues(a - column, [-9, -8, -17, -16], shape: [2, 2])
    try expectValues(a * column, [10, 20, 60, 80], shape: [2, 2])
    try expectValues(a / b, [0.1, 0.1, 0.3, 0.2], shape: [2, 2])
  }

  @Test("a matrix product agrees with three loops, also in batches")
  func matmul() throws {
    let a = try random([2, 3, 4], "left")
    let b = try random([2, 4, 5], "right")
    let (x, y) = (try a.doubles(), try b.doubles())
    var expected: [Double] = []
    for n in 0..<2 {
      for i in 0..<3 {
        for j in 0..<5 { expected.append((0..<4).reduce(0) { $0 + x[(n * 3 + i) * 4 + $1] * y[(n * 4 + $1) * 5 + j] }) }
      }
    }
    try expectValues(a.matmul(b), expected, shape: [2, 3, 5])
  }

  @Test("sums, means and the largest element, over axes from both ends")
  func reductions() throws {
    let x = try Tensor((0..<24).map(Double.init), shape: [2, 3, 4])
    try expectValues(x.sum(), [276], shape: [])
    try expectValues(x.mean(), [11.5], shape: [])
    try expectValues(x.sum([0, 2]), [60, 92, 124], shape: [3])
    try expectValues(x.sum([-1], keepingAxes: true), [6, 22, 38, 54, 70, 86], shape: [2, 3, 1])
    try expectValues(x.mean([1]), [4, 5, 6, 7, 16, 17, 18, 19], shape: [2, 4])
    try expectValues(x.mean([0, 1], keepingAxes: true), [10, 11, 12, 13], shape: [1, 1, 4])
    let y = try Tensor([1.0, 5, 2, 9, 0, 3], shape: [2, 3])
    #expect(try y.argmax(1).integers() == [1, 0])
    #expect(try y.argmax(0).integers() == [1, 0, 1])
    #expect(try y.argmax(-1).dtype == .int64)
  }

  @Test("softmax, its logarithm and the norm, also where the exponential overflows")
  func normalizations() throws {
    let x = try Tensor([1.0, 2, 3, 1001, 1000, 999], shape: [2, 3])
    let total = exp(-2.0) + exp(-1.0) + 1
    let row = [exp(-2.0) / total, exp(-1.0) / total, 1 / total]
    try expectValues(x.softmax(), row + row.reversed(), shape: [2, 3])
    try expectValues(x.logSoftmax(), (row + row.reversed()).map { log($0) }, shape: [2, 3])
    try expectValues(x.softmax(0).narrowed(0, start: 1, length: 1), [1, 1, 1], shape: [1, 3])
    let y = try Tensor([3.0, 4, 5, 12], shape: [2, 2])
    try expectValues(y.normalized(), [0.6, 0.8, 5.0 / 13, 12.0 / 13], shape: [2, 2])
    let (a, b) = (34.0.squareRoot(), 160.0.squareRoot())
    try expectValues(y.normalized(0), [3 / a, 4 / b, 5 / a, 12 / b], shape: [2, 2])
  }

  @Test("ops on shapes move the elements where they belong")
  func shapes() throws {
    let x = try Tensor((0..<6).map(Double.init), shape: [2, 3])
    try expectValues(x.reshaped([3, -1]), [0, 1, 2, 3, 4, 5], shape: [3, 2])
    try expectValues(x.transposed(), [0, 3, 1, 4, 2, 5], shape: [3, 2])
    try expectValues(x.transposed().reshaped([6]), [0, 3, 1, 4, 2, 5], shape: [6])
    try expectValues(x.permuted([1, 0]), [0, 3, 1, 4, 2, 5], shape: [3, 2])
    try expectValues(x.narrowed(1, start: 1, length: 2), [1, 2, 4, 5], shape: [2, 2])
    try expectValues(x.select(0, 1), [3, 4, 5], shape: [3])
    try expectValues(x.select(-1, 0), [0, 3], shape: [2])
    try expectValues(x.gathered(1, .indices([2, 0, 2])), [2, 0, 2, 5, 3, 5], shape: [2, 3])
    try expectValues(x.select(0, 0).expanded([2, -1]), [0, 1, 2, 0, 1, 2], shape: [2, 3])
    try expectValues(
      .concatenated([x, x.narrowed(1, start: 0, length: 1)], axis: 1), [0, 1, 2, 0, 3, 4, 5, 3], shape: [2, 4])
    try expectValues(.stacked([x.select(0, 0), x.select(0, 1)], axis: 1), [0, 3, 1, 4, 2, 5], shape: [3, 2])
    #expect(x.extent(0) == 2 && x.extent(-1) == 3 && x.rank == 2 && x.count == 6)
    #expect("\(x)" == "Tensor [2, 3] float64 on cpu")
  }

  @Test("elements survive every type that can hold them")
  func types() throws {
    for dtype in DType.allCases {
      let x = try Tensor([0.0, 1, 1, 0], shape: [2, 2]).to(dtype)
      #expect(x.dtype == dtype)
      #expect(try x.floats() == [0, 1, 1, 0] && x.integers() == [0, 1, 1, 0])
      #expect(try x.bytes().count == 4 * dtype.byteCount)
      let copy = try x.bytes().withUnsafeBytes { try Tensor.fromBytes($0, dtype: dtype, shape: [2, 2]) }
      #expect(try copy.isIdentical(to: x))
      #expect(dtype.isFloatingPoint == [.float32, .float64, .float16, .bfloat16].contains(dtype))
    }
    let big: [Int64] = [.min, -1, 0, .max]
    #expect(try Tensor(big, shape: [4]).integers() == big)
    #expect(
      try Tensor([Float.leastNonzeroMagnitude, .greatestFiniteMagnitude], shape: [2]).floats()
        == [.leastNonzeroMagnitude, .greatestFiniteMagnitude])
    #expect(try Tensor.full([2, 0, 3], 1).doubles() == [])
    #expect(try Tensor.full([], 2.5).item() == 2.5)
    #expect(try Tensor([2.5], shape: [1, 1]).item() == 2.5)
  }

  @Test("identity is bit by bit: NaN equals itself, 0 is not −0, a type is part of it")
  func identity() throws {
    let x = try Tensor([Double.nan, 0], shape: [2])
    #expect(try x.isIdentical(to: x.clone()))
    #expect(try !x.isIdentical(to: Tensor([Double.nan, -0.0], shape: [2])))
    #expect(try !x.isIdentical(to: x.to(.float32)))
    #expect(try !x.isIdentical(to: x.reshaped([2, 1])))
    #expect(try x.transposed(0, 0).isIdentical(to: x))
    let one = try Tensor([1.0, 2], shape: [2])
    #expect(try one.largestDifference(from: Tensor([1.5, 1], shape: [2])) == 1)
    #expect(try one.largestDifference(from: Tensor([1, Double.nan], shape: [2])) == .infinity)
    expectError("[2]", "[3]") { _ = try one.largestDifference(from: Tensor([1.0, 2, 3], shape: [3])) }
  }
}
