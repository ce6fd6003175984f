import Foundation

/// A matrix as a file of NumPy's.
///
/// Format: *NPY version 1.0*: a magic, a dictionary as text filled up to a multiple of 64 bytes, little-endian floats in the
/// order of the rows.
enum NumpyArray {
  /// The bytes of a float32 array.
  static func data(_ values: [Float], shape: [Int]) -> Data {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    // Ten bytes stand before it, a line feed ends it.
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header.utf8)
    for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    return data
  }
}
