import BanyanFoundation
import BanyanTensor
import Testing

@Suite("Gradients as a function")
struct GradientsOfTests {
  private let x: Tensor
  private let y: Tensor

  init() throws {
    x = try Tensor([1.0, 2, 3], shape: [3]).asParameter()
    y = try Tensor([4.0, 5, 6], shape: [3]).asParameter()
  }

  @Test("cotangents weigh the outputs, ones where there are none")
  func cotangents() throws {
    let product = try x * y
    let sum = try x.sum()
    let both = try Gradients.of(
      [product, sum], cotangents: [Tensor([1.0, 10, 100], shape: [3]), .full([], 7, dtype: .float64)], with: [x, y],
      retainingGraph: true)
    try expectValues(both[0], [11, 57, 607], shape: [3])
    try expectValues(both[1], [1, 20, 300], shape: [3])
    let ones = try Gradients.of([product, sum], with: [y, x])
    try expectValues(ones[0], [1, 2, 3], shape: [3])
    try expectValues(ones[1], [5, 6, 7], shape: [3])
  }

  @Test("a graph serves once, or again where it is retained, and nothing accumulates")
  func retaining() throws {
    let loss = try (x * y).sum()
    let first = try Gradients.of([loss], with: [x], retainingGraph: true)[0]
    let second = try Gradients.of([loss], with: [x])[0]
    #expect(try first.isIdentical(to: second))
    expectError("gradients") { _ = try Gradients.of([loss], with: [x]) }
    #expect(try x.floats() == [1, 2, 3])
  }

  @Test("inputs that do not matter get zeros of their shape and type")
  func unused() throws {
    let idle = try Tensor.zeros([2, 2], dtype: .float32).asParameter()
    let found = try Gradients.of([x.sum()], with: [idle, x])
    #expect(found[0].shape == [2, 2] && found[0].dtype == .float32)
    #expect(try found[0].floats() == [0, 0, 0, 0])
    try expectValues(found[1], [1, 1, 1], shape: [3])
  }

  @Test("no inputs give nothing, no outputs give zeros, and neither leaves a trace in the leaves")
  func empty() throws {
    let loss = try (x * y).sum()
    #expect(try Gradients.of([loss], with: []).isEmpty)
    #expect(try Gradients.of([], with: [x])[0].doubles() == [0, 0, 0])
    try expectValues(Gradients.of([loss], with: [x])[0], [4, 5, 6], shape: [3])
  }

  @Test("gradients with respect to a result in the middle")
  func intermediate() throws {
    let middle = try x * y
    let found = try Gradients.of([middle.squared().sum()], with: [middle, x])
    try expectValues(found[0], [8, 20, 36], shape: [3])
    try expectValues(found[1], [32, 100, 216], shape: [3])
  }

  @Test("recording can be switched off and on, also after an error")
  func recording() throws {
    #expect(try (x * y).requiresGradient)
    let (inside, between, after) = try Engine.withoutGradients {
      let inside = try (x * y).requiresGradient
      let between = try Engine.withGradients { try (x * y).requiresGradient }
      return (inside, between, try (x * y).requiresGradient)
    }
    #expect(!inside && between && !after)
    #expect(throws: BanyanError.self) { try Engine.withoutGradients { try x.matmul(Tensor.zeros([2, 2])) } }
    #expect(try (x * y).requiresGradient)
  }

  @Test("a detached tensor has no history, a parameter shares nothing with its source")
  func leaves() throws {
    #expect(try !(x * y).detached().requiresGradient)
    let source = try Tensor([1.0, 2], shape: [2])
    let leaf = try source.asParameter()
    try leaf.assign(Tensor([3.0, 4], shape: [2]))
    #expect(try source.doubles() == [1, 2] && leaf.doubles() == [3, 4])
    #expect(leaf.requiresGradient && !source.requiresGradient)
    expectError("copy_into", "[2]", "[1]") { try leaf.assign(Tensor([3.0], shape: [1])) }
  }
}
