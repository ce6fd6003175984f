import CTorch

extension Tensor {
  /// The same elements in another shape; one extent may be −1.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try produce { ct_reshape(handle, sizes, Int32(sizes.count), $0) }
  }

  /// The axes in another order.
  public func permuted(_ axes: [Int]) throws -> Tensor {
    let axes = axes.map(Int64.init)
    return try produce { ct_permute(handle, axes, Int32(axes.count), $0) }
  }

  /// Two axes exchanged.
  public func transposed(_ a: Int = -2, _ b: Int = -1) throws -> Tensor {
    try produce { ct_transpose(handle, Int64(a), Int64(b), $0) }
  }

  /// Repeated along axes of extent one, without copying; −1 keeps an extent.
  public func expanded(_ shape: [Int]) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try produce { ct_expand(handle, sizes, Int32(sizes.count), $0) }
  }

  /// `length` entries of `axis` from `start` on, without copying.
  public func narrowed(_ axis: Int, start: Int, length: Int) throws -> Tensor {
    try produce { ct_narrow(handle, Int64(axis), Int64(start), Int64(length), $0) }
  }

  /// Entry `index` of `axis`, without that axis.
  public func select(_ axis: Int, _ index: Int) throws -> Tensor {
    let one = try narrowed(axis, start: index, length: 1)
    var shape = one.shape
    shape.remove(at: axis < 0 ? shape.count + axis : axis)
    return try one.reshaped(shape)
  }

  /// The entries of `axis` that `index` (one axis of integers) names, in that order.
  public func gathered(_ axis: Int, _ index: Tensor) throws -> Tensor {
    try produce { ct_index_select(handle, Int64(axis), index.handle, $0) }
  }

  /// Tensors joined along an axis that they have.
  public static func concatenated(_ tensors: [Tensor], axis: Int) throws -> Tensor {
    if tensors.count == 1 { return tensors[0] }
    let handles = tensors.map { Optional($0.handle) }
    return try withExtendedLifetime(tensors) {
      try produce { ct_cat(handles, Int32(handles.count), Int64(axis), $0) }
    }
  }

  /// Tensors of one shape joined along a new axis.
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    let handles = tensors.map { Optional($0.handle) }
    return try withExtendedLifetime(tensors) {
      try produce { ct_stack(handles, Int32(handles.count), Int64(axis), $0) }
    }
  }
}
