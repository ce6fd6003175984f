import BanyanFoundation
import CTorch
import Foundation

extension Tensor {
  /// The elements as floats, in row-major order.
  public func floats() throws -> [Float] { try elements(.float32, zero: Float(0)) }

  /// The elements as doubles, in row-major order.
  public func doubles() throws -> [Double] { try elements(.float64, zero: Double(0)) }

  /// The elements as 64-bit integers, in row-major order.
  public func integers() throws -> [Int64] { try elements(.int64, zero: Int64(0)) }

  /// The only element.
  ///
  /// - Throws: A `BanyanError` where there is not exactly one.
  public func item() throws -> Double {
    guard count == 1 else { throw BanyanError(.failed, at: "item", "expected one element, found shape \(shape)") }
    return try doubles()[0]
  }

  /// The raw bytes, in row-major order and the machine's byte order.
  public func bytes() throws -> [UInt8] {
    try checkRoom()
    var bytes = [UInt8](repeating: 0, count: count * dtype.byteCount)
    try bytes.withUnsafeMutableBytes { buffer in
      try engine { ct_copy_out(handle, buffer.baseAddress, buffer.count) }
    }
    return bytes
  }

  /// The same numbers with another type or on another device; the tensor itself where nothing changes.
  public func to(_ dtype: DType? = nil, device: Device? = nil) throws -> Tensor {
    let dtype = dtype ?? self.dtype
    let device = device ?? self.device
    if dtype == self.dtype && device == self.device { return self }
    try device.checked()
    return try produce { ct_to(handle, dtype.engineValue, device.engineValue, $0) }
  }

  /// A copy with storage of its own.
  public func clone() throws -> Tensor { try produce { ct_clone(handle, $0) } }

  /// Whether type, shape and every bit of the elements agree.
  public func isIdentical(to other: Tensor) throws -> Bool {
    var equal = false
    try engine { ct_bitwise_equal(handle, other.handle, &equal) }
    return equal
  }

  /// Overwrites the elements with those of `source`, in place.
  ///
  /// Only for parameters between steps: a graph recorded before would see the new numbers.
  package func assign(_ source: Tensor) throws {
    try engine { ct_copy_into(handle, source.handle) }
  }

  /// Refuses what no array can hold: an expanded tensor may have more elements than memory has bytes.
  private func checkRoom() throws {
    guard count <= Self.elementLimit else {
      throw BanyanError(.failed, at: "contents", "shape \(shape) is larger than any memory")
    }
  }

  private func elements<Element>(_ wanted: DType, zero: Element) throws -> [Element] {
    try checkRoom()
    let source = try to(wanted, device: .cpu)
    var elements = [Element](repeating: zero, count: source.count)
    try elements.withUnsafeMutableBytes { buffer in
      try engine { ct_copy_out(source.handle, buffer.baseAddress, buffer.count) }
    }
    return elements
  }

  /// The largest absolute difference of two tensors of one shape, in double precision; for tests and checks.
  public func largestDifference(from other: Tensor) throws -> Double {
    guard shape == other.shape else {
      throw BanyanError(.failed, at: "largestDifference", "expected shape \(shape), found \(other.shape)")
    }
    var largest = 0.0
    for (a, b) in zip(try doubles(), try other.doubles()) {
      let difference = Swift.abs(a - b)
      if !(difference <= largest) { largest = difference.isNaN ? .infinity : difference }
    }
    return largest
  }
}
