import BanyanFoundation
import CTorch

extension Tensor {
  /// A float tensor with the given elements in row-major order.
  public convenience init(_ elements: [Float], shape: [Int], device: Device = .cpu) throws {
    try self.init(copying: elements, dtype: .float32, shape: shape, device: device)
  }

  /// A double-precision tensor with the given elements in row-major order.
  public convenience init(_ elements: [Double], shape: [Int], device: Device = .cpu) throws {
    try self.init(copying: elements, dtype: .float64, shape: shape, device: device)
  }

  /// An integer tensor with the given elements in row-major order.
  public convenience init(_ elements: [Int64], shape: [Int], device: Device = .cpu) throws {
    try self.init(copying: elements, dtype: .int64, shape: shape, device: device)
  }

  /// A tensor of indices (64-bit integers) of one axis.
  public static func indices(_ elements: some Sequence<Int>, device: Device = .cpu) throws -> Tensor {
    let values = elements.map(Int64.init)
    return try Tensor(values, shape: [values.count], device: device)
  }

  /// A tensor whose elements are all `value`.
  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu) throws
    -> Tensor
  {
    let sizes = shape.map(Int64.init)
    try device.checked()
    return try produce {
      ct_full(value, dtype.engineValue, sizes, Int32(sizes.count), device.engineValue, $0)
    }
  }

  /// A tensor of zeros.
  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try full(shape, 0, dtype: dtype, device: device)
  }

  /// A tensor from raw bytes in row-major order and the machine's byte order.
  public static func fromBytes(_ bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int]) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try produce {
      ct_from_bytes(bytes.baseAddress, bytes.count, dtype.engineValue, sizes, Int32(sizes.count), $0)
    }
  }

  /// More elements than any memory holds; an expanded tensor may have them, an array may not.
  static let elementLimit = 1 << 40

  /// How many elements `shape` has; an error where an extent is negative or there are more than ``elementLimit``.
  static func elementCount(_ shape: [Int]) throws -> Int {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow, product <= elementLimit else {
        throw BanyanError(
          .failed, at: "Tensor", "expected extents of zero or more that fit memory, found shape \(shape)")
      }
      count = product
    }
    return count
  }

  private convenience init<Element>(copying elements: [Element], dtype: DType, shape: [Int], device: Device) throws {
    let expected = try Self.elementCount(shape)
    guard expected == elements.count else {
      throw BanyanError(
        .failed, at: "Tensor", "expected \(expected) elements for shape \(shape), found \(elements.count)")
    }
    try device.checked()
    var handle: ct_tensor?
    try elements.withUnsafeBytes { bytes in
      let sizes = shape.map(Int64.init)
      try engine {
        ct_from_bytes(bytes.baseAddress, bytes.count, dtype.engineValue, sizes, Int32(sizes.count), &handle)
      }
    }
    guard let created = handle else { throw BanyanError(.failed, at: "Tensor", "the engine made none") }
    guard device != .cpu else {
      self.init(created)
      return
    }
    defer { ct_free(created) }
    var moved: ct_tensor?
    try engine { ct_to(created, dtype.engineValue, device.engineValue, &moved) }
    guard let moved else { throw BanyanError(.failed, at: "Tensor", "the engine made none") }
    self.init(moved)
  }
}

/// The engine's own random generator as an explicit value.
///
/// For numbers that must not change with the engine's version use ``Tensor/normal(_:deviation:generator:)``, which draws
/// from a `SeededGenerator`.
public final class EngineGenerator {
  let handle: ct_generator

  /// A generator that starts from `seed`.
  public init(seed: UInt64) throws {
    var handle: ct_generator?
    try engine { ct_generator_new(seed, &handle) }
    guard let handle else { throw BanyanError(.failed, at: "EngineGenerator", "the engine made none") }
    self.handle = handle
  }

  deinit { ct_generator_free(handle) }

  /// Standard normal numbers.
  public func normal(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try produce { ct_random_normal(handle, sizes, Int32(sizes.count), dtype.engineValue, $0) }
  }

  /// Numbers uniform in [0, 1).
  public func uniform(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try produce { ct_random_uniform(handle, sizes, Int32(sizes.count), dtype.engineValue, $0) }
  }
}
