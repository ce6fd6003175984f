package import Foundation

/// A message in the wire format of protocol buffers, written field by field.
///
/// TensorBoard's files hold a handful of fields of a few messages; a generator and its runtime would be a large dependency
/// for them.
struct ProtobufMessage {
  private(set) var bytes = Data()

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ field: Int, wire: UInt64) { varint(UInt64(field) << 3 | wire) }

  private mutating func fixed(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Any integer type, `bool` or `enum`.
  mutating func integer(_ field: Int, _ value: Int64) {
    key(field, wire: 0)
    varint(UInt64(bitPattern: value))
  }

  mutating func double(_ field: Int, _ value: Double) {
    key(field, wire: 1)
    fixed(value.bitPattern)
  }

  mutating func float(_ field: Int, _ value: Float) {
    key(field, wire: 5)
    fixed(value.bitPattern)
  }

  mutating func data(_ field: Int, _ value: Data) {
    key(field, wire: 2)
    varint(UInt64(value.count))
    bytes.append(value)
  }

  mutating func text(_ field: Int, _ value: String) { data(field, Data(value.utf8)) }

  mutating func message(_ field: Int, _ build: (inout ProtobufMessage) -> Void) {
    var inner = ProtobufMessage()
    build(&inner)
    data(field, inner.bytes)
  }
}

/// The check sum of TensorFlow's record files: CRC-32C (Castagnoli), rotated and shifted.
package enum MaskedCRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }

  package static func plain(_ data: Data) -> UInt32 {
    ~data.reduce(UInt32.max) { sum, byte in sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xff)] }
  }

  package static func masked(_ data: Data) -> UInt32 {
    let sum = plain(data)
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }
}
