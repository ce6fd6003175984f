import BanyanFoundation
import BanyanTensor
import Testing

@Suite("Errors of the engine are values that name the op and the shapes")
struct EngineErrorTests {
  private let x: Tensor
  private let labels: Tensor

  init() throws {
    x = try Tensor.zeros([2, 3])
    labels = try .indices([0, 1])
  }

  @Test("operands that do not fit")
  func mismatches() throws {
    expectError("matmul", "[2, 3]") { _ = try x.matmul(x) }
    expectError("add", "[2, 3]", "[4]") { _ = try x + Tensor.zeros([4]) }
    expectError("multiply", "[2, 3]", "[4]") { _ = try x * Tensor.zeros([4]) }
    expectError("linear", "[2, 3]", "[5, 4]") { _ = try x.linear(.zeros([5, 4])) }
    expectError("linear", "[7]") { _ = try x.linear(.zeros([5, 3]), .zeros([7])) }
    expectError("layer_norm", "[2, 3]", "[4]") { _ = try x.layerNorm(.zeros([4]), .zeros([4]), epsilon: 1e-5) }
    expectError("layer_norm") { _ = try Tensor.zeros([]).layerNorm(.zeros([1]), .zeros([1]), epsilon: 1e-5) }
    expectError("conv2d", "[1, 3, 4, 4]", "[2, 5, 2, 2]") {
      _ = try Tensor.zeros([1, 3, 4, 4]).convolution2D(.zeros([2, 5, 2, 2]))
    }
    let images = try Tensor.zeros([1, 3, 4, 4])
    let kernel = try Tensor.zeros([2, 3, 2, 2])
    expectError("conv2d") { _ = try images.convolution2D(kernel, stride: 0) }
    expectError("conv2d") { _ = try images.convolution2D(kernel, stride: -1) }
    expectError("conv2d") { _ = try images.convolution2D(kernel, padding: -1) }
    expectError("conv2d") { _ = try images.convolution2D(.zeros([2, 3, 5, 5])) }
    expectError("attention", "[1, 2, 4]", "[1, 3, 5]") {
      _ = try Tensor.zeros([1, 2, 4]).attention(keys: .zeros([1, 3, 5]), values: .zeros([1, 3, 5]))
    }
    expectError("concatenate", "[2, 3]", "[2, 4]") { _ = try Tensor.concatenated([x, .zeros([2, 4])], axis: 0) }
    expectError("concatenate") { _ = try Tensor.concatenated([], axis: 0) }
    expectError("stack", "[2, 3]", "[3, 2]") { _ = try Tensor.stacked([x, .zeros([3, 2])]) }
    expectError("stack") { _ = try Tensor.stacked([]) }
  }

  @Test("causal attention of unequal tokens is refused, since its alignment would be a guess")
  func causalAlignment() throws {
    let (q, k) = (try Tensor.zeros([1, 2, 4]), try Tensor.zeros([1, 3, 4]))
    expectError("attention", "[1, 2, 4]", "[1, 3, 4]", "as many queries as keys") {
      _ = try q.attention(keys: k, values: k, causal: true)
    }
    expectError("attention") { _ = try k.attention(keys: k, values: k, mask: .zeros([3, 3]), causal: true) }
  }

  @Test("shapes and positions that are not there")
  func positions() throws {
    expectError("reshape", "[2, 3]") { _ = try x.reshaped([4]) }
    expectError("reshape", "[2, 3]") { _ = try x.reshaped([-1, -1]) }
    expectError("reshape", "[2, 3]") { _ = try x.reshaped([-2, -3]) }
    expectError("permute", "[2, 3]") { _ = try x.permuted([0, 0]) }
    expectError("permute", "[2, 3]") { _ = try x.permuted([0]) }
    expectError("transpose", "[2, 3]") { _ = try x.transposed(0, 2) }
    expectError("expand", "[2, 3]") { _ = try x.expanded([2, 4]) }
    expectError("expand", "[2, 3]") { _ = try x.expanded([3]) }
    expectError("narrow", "[2, 3]") { _ = try x.narrowed(1, start: 2, length: 2) }
    expectError("narrow", "[2, 3]") { _ = try x.narrowed(2, start: 0, length: 1) }
    expectError("narrow", "[2, 3]") { _ = try x.narrowed(0, start: 0, length: -1) }
    expectError("narrow", "[2, 3]") { _ = try x.narrowed(0, start: .max, length: .max) }
    expectError("narrow", "[2, 3]") { _ = try x.select(0, 2) }
    expectError("narrow", "[2, 3]") { _ = try x.select(5, 0) }
    expectError("narrow") { _ = try Tensor.zeros([]).select(0, 0) }
    expectError("index_select", "[2, 3]", "[1]") { _ = try x.gathered(1, .indices([3])) }
    expectError("index_select", "[2, 3]", "[1]") { _ = try x.gathered(0, .indices([-1])) }
    expectError("index_select", "[2, 3]") { _ = try x.gathered(0, .zeros([1])) }
    expectError("index_select", "[2, 3]") { _ = try x.gathered(0, Tensor([0, 1] as [Int64], shape: [1, 2])) }
    expectError("sum", "[2, 3]") { _ = try x.sum([2]) }
    expectError("sum", "[2, 3]") { _ = try x.sum([0, 0]) }
    expectError("mean", "[2, 3]") { _ = try x.mean([-3]) }
    expectError("softmax", "[2, 3]") { _ = try x.softmax(2) }
    expectError("log_softmax", "[2, 3]") { _ = try x.logSoftmax(2) }
    expectError("normalize", "[2, 3]") { _ = try x.normalized(2) }
    expectError("argmax", "[2, 3]") { _ = try x.argmax(2) }
    expectError("argmax", "[2, 0]") { _ = try Tensor.zeros([2, 0]).argmax(1) }
  }

  @Test("labels that are no class, −100 included", arguments: [3, -1, -100, Int.max, Int.min + 1])
  func labelsOutOfRange(_ label: Int) throws {
    expectError("cross_entropy", "[2, 3]", "[2]") { _ = try x.crossEntropy(.indices([0, label])) }
  }

  @Test("labels of another form")
  func labelsOfAnotherForm() throws {
    expectError("cross_entropy", "[2, 3]", "[3]") { _ = try x.crossEntropy(.indices([0, 1, 2])) }
    expectError("cross_entropy", "[2, 3]") { _ = try x.crossEntropy(.zeros([2])) }
    expectError("cross_entropy", "[2, 3]") { _ = try x.crossEntropy(.zeros([2, 3])) }
    expectError("cross_entropy", "[3]") { _ = try Tensor.zeros([3]).crossEntropy(.indices([0])) }
  }

  @Test("types that do not mix")
  func types() throws {
    let double = try Tensor.zeros([3, 2], dtype: .float64)
    expectError("matmul", "Float", "Double") { _ = try x.matmul(double) }
    expectError("linear", "Float", "Double") { _ = try x.linear(double.transposed()) }
    expectError("layer_norm", "Float", "Double") {
      _ = try x.layerNorm(.zeros([3], dtype: .float64), .zeros([3], dtype: .float64), epsilon: 1e-5)
    }
    expectError("conv2d", "Float", "Double") {
      _ = try Tensor.zeros([1, 1, 2, 2]).convolution2D(.zeros([1, 1, 1, 1], dtype: .float64))
    }
    expectError("attention", "Float", "Double") {
      _ = try x.attention(keys: x, values: .zeros([2, 3], dtype: .float64))
    }
    expectError("softmax", "Long") { _ = try labels.softmax() }
    #expect(try (x + Tensor.zeros([3], dtype: .float64)).dtype == .float64)
  }

  @Test("gradients that cannot be had")
  func gradients() throws {
    let leaf = try x.asParameter()
    expectError("gradients", "[2, 3]") { _ = try Gradients.of([x], with: [leaf]) }
    expectError("gradients") { _ = try Gradients.of([leaf.sum()], with: [x]) }
    expectError("gradients") { _ = try Gradients.of([leaf.sum().detached()], with: [leaf]) }
    expectError("gradients") { _ = try Gradients.of([Engine.withoutGradients { try leaf.sum() }], with: [leaf]) }
    expectError("gradients") { _ = try Gradients.of([leaf.argmax(0)], with: [leaf]) }
    expectError("set_requires_gradient", "Long") { _ = try labels.asParameter() }
    expectError("gradients", "[2, 3]", "[3]") {
      _ = try Gradients.of([leaf * 2], cotangents: [.zeros([3])], with: [leaf])
    }
    expectError("gradients", "[]", "[4]") {
      _ = try Gradients.of([leaf.sum()], cotangents: [.zeros([4])], with: [leaf])
    }
    expectError("gradients", "Double") {
      _ = try Gradients.of([leaf * 2], cotangents: [.zeros([2, 3], dtype: .float64)], with: [leaf])
    }
    expectError("expected 1 cotangents, found 2") {
      _ = try Gradients.of([leaf.sum()], cotangents: [x, x], with: [leaf])
    }
  }

  @Test("contents that are not one number")
  func contents() throws {
    expectError("item", "[2, 3]") { _ = try x.item() }
    expectError("item", "[0]") { _ = try Tensor.zeros([0]).item() }
    expectError("expected 6", "[2, 3]", "found 2") { _ = try Tensor([1.0, 2], shape: [2, 3]) }
    let bytes: [UInt8] = [0, 1, 2, 1]
    bytes.withUnsafeBytes { buffer in
      expectError("from_bytes", "4") { _ = try Tensor.fromBytes(buffer, dtype: .float32, shape: [2]) }
      expectError("from_bytes", "2") { _ = try Tensor.fromBytes(buffer, dtype: .bool, shape: [4]) }
      expectError("from_bytes", "-4") { _ = try Tensor.fromBytes(buffer, dtype: .uint8, shape: [-4]) }
    }
  }

  @Test(
    "negative and absurd extents",
    arguments: [[-1], [-2, -3], [1 << 62], [1 << 62, 4, 4], [1 << 32, 1 << 32, 0, -1]])
  func extents(_ shape: [Int]) throws {
    expectError { _ = try Tensor.zeros(shape) }
    expectError { _ = try Tensor.full(shape, 1, dtype: .uint8) }
    expectError("\(shape)") { _ = try Tensor([Float](repeating: 0, count: 6), shape: shape) }
    expectError {
      try [UInt8](repeating: 0, count: 24).withUnsafeBytes {
        _ = try Tensor.fromBytes($0, dtype: .float32, shape: shape)
      }
    }
    let engine = try EngineGenerator(seed: 1)
    expectError("random_normal") { _ = try engine.normal(shape) }
    expectError("random_uniform") { _ = try engine.uniform(shape) }
  }

  @Test("Tensor.normal refuses shapes that are none", arguments: [[-1], [1 << 62, 4], [1 << 62]])
  func normalExtents(_ shape: [Int]) throws {
    var generator = SeededGenerator(seed: 1)
    expectError("\(shape)") { _ = try Tensor.normal(shape, generator: &generator) }
  }

  @Test("an expanded tensor may be larger than memory, its contents may not be asked for")
  func expandedBeyondMemory() throws {
    let vast = try Tensor.zeros([1]).expanded([1 << 60])
    #expect(vast.count == 1 << 60)
    expectError("1152921504606846976") { _ = try vast.floats() }
    expectError("1152921504606846976") { _ = try vast.doubles() }
    expectError("1152921504606846976") { _ = try vast.bytes() }
    expectError("clone") { _ = try vast.clone() }
    expectError("expand") { _ = try vast.reshaped([1 << 60, 1]).expanded([1 << 60, 1 << 60]) }
    #expect(try Tensor.zeros([0]).reshaped([0, 1 << 40]).floats() == [])
  }

  @Test("a device that is absent is said to be so", arguments: [Device.cuda, .mps])
  func absentDevice(_ device: Device) throws {
    guard !device.isAvailable else { return }
    let name = device.rawValue
    expectError("--device \(name)", "cpu", kind: .unavailable) { try device.checked() }
    expectError("--device \(name)", kind: .unavailable) { _ = try x.to(device: device) }
    expectError("--device \(name)", kind: .unavailable) { _ = try Tensor.zeros([2], device: device) }
    expectError("--device \(name)", kind: .unavailable) { _ = try Tensor([1.0], shape: [1], device: device) }
    expectError("--device \(name)", kind: .unavailable) { _ = try Tensor.indices([1], device: device) }
  }

  @Test("after an error the engine works on, and nothing of the failed op stays")
  func recovery() throws {
    #expect(throws: BanyanError.self) { try x.matmul(x) }
    #expect(try x.matmul(x.transposed()).shape == [2, 2])
  }
}
