/// Canonical composition and lower case, as the Rust `tokenizers` of the pinned `transformers` do them.
///
/// The two differ from what Swift offers in the age of their Unicode tables only, found by comparing all 1 112 064
/// scalars: composition there knows Unicode 9, lower case Unicode 17 (Swift's own).
enum TextNormalizer {
  /// `utf8`, composed and in lower case.
  static func normalized(_ utf8: ArraySlice<UInt8>) -> [UInt8] {
    if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.map(lowercased) }
    return lowercased(CanonicalComposition.composed(String(decoding: utf8, as: UTF8.self)))
  }

  /// `text` without whitespace at its ends, in the sense of Python's `str.strip`.
  static func trimmed(_ text: String) -> String {
    // Python counts the four ASCII separators as whitespace, Unicode does not.
    func isSpace(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
    var scalars = Substring(text).unicodeScalars
    while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
    while let last = scalars.last, isSpace(last) { scalars.removeLast() }
    return String(scalars)
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }

  private static func lowercased(_ text: String) -> [UInt8] {
    var utf8: [UInt8] = []
    utf8.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if scalar.isASCII {
        utf8.append(lowercased(UInt8(scalar.value)))
      } else {
        // Scalar by scalar: a text's own lower-casing has a special final sigma.
        utf8 += scalar.properties.lowercaseMapping.utf8
      }
    }
    return utf8
  }
}
