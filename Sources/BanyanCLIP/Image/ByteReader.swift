/// Integers at offsets of a byte block; every read is checked, so that damaged files give `nil` and not a trap.
struct ByteReader {
  private let bytes: ArraySlice<UInt8>

  init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  var count: Int { bytes.count }

  func byte(at offset: Int) -> UInt8? {
    offset >= 0 && offset < bytes.count ? bytes[bytes.startIndex + offset] : nil
  }

  /// The unsigned integer of up to four bytes at `offset`.
  func integer(at offset: Int, bytes length: Int, bigEndian: Bool) -> Int? {
    guard offset >= 0, length <= bytes.count, offset <= bytes.count - length else { return nil }
    let start = bytes.startIndex + offset
    let field = bytes[start..<start + length]
    return bigEndian
      ? field.reduce(0) { $0 << 8 | Int($1) } : field.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The bytes from `offset` on, at most `length` of them.
  func slice(at offset: Int, length: Int) -> ArraySlice<UInt8> {
    guard offset >= 0, length >= 0, offset < bytes.count else { return [] }
    return bytes.dropFirst(offset).prefix(length)
  }

  /// Whether `text` stands at `offset`.
  func holds(_ text: String, at offset: Int) -> Bool {
    slice(at: offset, length: text.utf8.count).elementsEqual(text.utf8)
  }
}
