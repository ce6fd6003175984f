/// One value per pixel, allocated once and reused from picture to picture.
///
/// A reference to fixed memory: unlike an array in a class, reading it costs no exclusivity or uniqueness check, which
/// took half of the rendering time.
package final class PixelPlane<Value: BitwiseCopyable> {
  private let values: UnsafeMutableBufferPointer<Value>
  package let count: Int

  init(count: Int, filledWith value: Value) {
    self.count = count
    values = .allocate(capacity: count)
    values.initialize(repeating: value)
  }

  deinit { values.deallocate() }

  @inline(__always) package subscript(index: Int) -> Value {
    get { values[index] }
    set { values[index] = newValue }
  }

  func fill(_ value: Value) { values.update(repeating: value) }

  func copy(_ other: PixelPlane<Value>) {
    for index in 0..<min(count, other.count) { values[index] = other.values[index] }
  }
}
