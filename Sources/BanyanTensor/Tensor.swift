import CTorch

/// An array of numbers on a device, with reverse-mode gradients.
///
/// A tensor is a reference to storage of the engine; ops return new tensors and never change their operands. Unlike an
/// array of Swift it may live on a GPU and remember how it was computed, so that ``Gradients`` can be asked for.
///
///     let x = try Tensor([1.0, 2, 3], shape: [3])
///     let y = try (x * x).sum()          // y.item() == 14
///
/// Every op throws a `BanyanError` with the op's name and the operands' shapes where they do not fit.
public final class Tensor: @unchecked Sendable {
  // Immutable after creation; libtorch's reference counts are atomic. Parameters alone are written in place, by the
  // optimizer that owns them.
  let handle: ct_tensor

  init(_ handle: ct_tensor) { self.handle = handle }

  deinit { ct_free(handle) }

  /// The extent of each axis.
  public var shape: [Int] {
    var sizes = [Int64](repeating: 0, count: Int(ct_rank(handle)))
    ct_shape(handle, &sizes)
    return sizes.map(Int.init)
  }

  /// How many axes there are.
  public var rank: Int { Int(ct_rank(handle)) }

  /// How many elements there are.
  public var count: Int { shape.reduce(1, *) }

  /// The type of the elements.
  public var dtype: DType { DType(ct_dtype_of(handle)) }

  /// Where the elements live.
  public var device: Device { Device.allCases.first { $0.engineValue == ct_device_of(handle) } ?? .cpu }

  /// Whether gradients with respect to this tensor can be asked for.
  public var requiresGradient: Bool { ct_requires_gradient(handle) }

  /// The extent of axis `axis`; negative axes count from the end.
  public func extent(_ axis: Int) -> Int {
    let shape = shape
    return shape[axis < 0 ? shape.count + axis : axis]
  }
}

extension Tensor: CustomStringConvertible {
  /// Shape, type and device, as in `Tensor [2, 3] float32 on cpu`.
  public var description: String { "Tensor \(shape) \(dtype.rawValue) on \(device.rawValue)" }
}
