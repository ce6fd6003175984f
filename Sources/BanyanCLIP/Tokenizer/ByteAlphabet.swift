/// The 256 printable characters that stand for bytes in a byte-level vocabulary.
///
/// A byte that is visible in Latin-1 stands for itself, the others take U+0100 on, in order.
enum ByteAlphabet {
  /// The mark that the last byte of a word carries.
  static let endOfWord = "</w>"

  /// The character of each byte, at the byte's index.
  static let characters: [String] = {
    var next: UInt32 = 256
    return (0..<256).map { (byte: UInt32) in
      switch byte {
      case 33...126, 161...172, 174...255:
        return String(Unicode.Scalar(UInt8(byte)))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next).map(String.init) ?? ""
      }
    }
  }()

  private static let byteOfScalar: [Unicode.Scalar: UInt8] = {
    var bytes: [Unicode.Scalar: UInt8] = [:]
    for (byte, character) in characters.enumerated() {
      if let scalar = character.unicodeScalars.first { bytes[scalar] = UInt8(byte) }
    }
    return bytes
  }()

  /// The bytes that `token` stands for; its own UTF-8 where some character is no stand-in (added tokens).
  static func bytes(of token: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in token.unicodeScalars {
      guard let byte = byteOfScalar[scalar] else { return Array(token.utf8) }
      bytes.append(byte)
    }
    return bytes
  }
}
