import Foundation

/// Canonical composition and lower case, as the Rust `tokenizers` of the pinned `transformers` do them.
///
/// The two differ from what Swift offers in the age of their Unicode tables only, found by comparing all 1 112 064
/// scalars: composition there knows Unicode 9, lower case Unicode 17 (Swift's own).
enum TextNormalizer {
  /// `utf8`, composed and in lower case.
  static func normalized(_ utf8: ArraySlice<UInt8>) -> [UInt8] {
    utf8.allSatisfy { $0 < 0x80 } ? utf8.map(lowercased) : lowercased(composed(String(decoding: utf8, as: UTF8.self)))
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

  private static func composed(_ text: String) -> String {
    // Below the first combining mark every text is composed.
    guard text.unicodeScalars.contains(where: { $0.value >= 0x300 }) else { return text }
    var result = String.UnicodeScalarView()
    var stretch = String.UnicodeScalarView()
    func append(_ scalar: Unicode.Scalar) {
      // Foundation on Linux leaves some Hangul syllables (leading consonant and vowel) beside their final consonant.
      if trailingJamo.contains(scalar.value), let last = result.last, let whole = syllable(last, with: scalar) {
        result.removeLast()
        result.append(whole)
      } else {
        result.append(scalar)
      }
    }
    func flush() {
      if stretch.isEmpty { return }
      for scalar in String(stretch).precomposedStringWithCanonicalMapping.unicodeScalars { append(scalar) }
      stretch = String.UnicodeScalarView()
    }
    for scalar in text.unicodeScalars {
      if let parts = tibetanVowels[scalar] {
        stretch.append(contentsOf: parts)
      } else if isComposable(scalar) {
        stretch.append(scalar)
      } else {
        // It stays, and nothing moves across it.
        flush()
        result.append(scalar)
      }
    }
    flush()
    return String(result)
  }

  // Foundation on Linux leaves the parts of these where they are, though marks around them may belong before them.
  private static let tibetanVowels: [Unicode.Scalar: [Unicode.Scalar]] = [
    "\u{0F73}": ["\u{0F71}", "\u{0F72}"],
    "\u{0F75}": ["\u{0F71}", "\u{0F74}"],
    "\u{0F81}": ["\u{0F71}", "\u{0F80}"],
  ]

  private static let trailingJamo: ClosedRange<UInt32> = 0x11A8...0x11C2

  /// The Hangul syllable of `open`, where that is one without a final consonant, and a final consonant.
  private static func syllable(_ open: Unicode.Scalar, with final: Unicode.Scalar) -> Unicode.Scalar? {
    guard (0xAC00...0xD7A3).contains(open.value), (open.value - 0xAC00).isMultiple(of: 28) else { return nil }
    return Unicode.Scalar(open.value + final.value - 0x11A7)
  }

  /// Whether composition may look at the scalar: it is in Unicode 9, as in the reference's tables.
  private static func isComposable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x300 { return true }
    // One before the final consonants; Foundation on Linux takes it for one and drops it.
    if scalar.value == 0x11A7 { return false }
    guard let age = scalar.properties.age else { return false }
    return age.major <= 9
  }
}
