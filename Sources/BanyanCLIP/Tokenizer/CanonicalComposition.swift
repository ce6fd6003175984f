import Foundation

/// Unicode's canonical composition (NFC), with the tables of Unicode 9 that the Rust `tokenizers` have.
///
/// Foundation composes; what it may see at once is cut so that scalars younger than Unicode 9 stay as they are, and so
/// that the mistakes of Foundation on Linux cannot happen (it takes U+20041 for `A` before an accent, for one). Every
/// cut is at a scalar across which nothing is reordered or composed, so the result is that of the whole.
enum CanonicalComposition {
  /// `text`, composed.
  static func composed(_ text: String) -> String {
    // Below the first combining mark every text is composed.
    guard text.unicodeScalars.contains(where: { $0.value >= 0x300 }) else { return text }
    var result = String.UnicodeScalarView()
    var stretch = String.UnicodeScalarView()
    func flush() {
      if stretch.isEmpty { return }
      result += String(stretch).precomposedStringWithCanonicalMapping.unicodeScalars
      stretch = String.UnicodeScalarView()
    }
    for scalar in text.unicodeScalars {
      switch treatment(of: scalar) {
      case .together:
        stretch.append(scalar)
      case .apart(let parts):
        stretch.append(contentsOf: parts)
      case .alone:
        flush()
        stretch.append(scalar)
        flush()
      case .unchanged:
        flush()
        result.append(scalar)
      case .jamo:
        flush()
        if let last = result.last, let syllable = HangulSyllable.composed(last, scalar) {
          result.removeLast()
          result.append(syllable)
        } else {
          result.append(scalar)
        }
      }
    }
    flush()
    return String(result)
  }

  private enum Treatment {
    /// Composed with its neighbours.
    case together
    /// Replaced by its parts, and these with their neighbours.
    case apart([Unicode.Scalar])
    /// Replaced by what it decomposes to, if anything; nothing composes with it.
    case alone
    /// Unknown to the older tables: no mark, no parts.
    case unchanged
    /// A Korean letter.
    case jamo
  }

  private static func treatment(of scalar: Unicode.Scalar) -> Treatment {
    if scalar.value < 0x300 { return .together }
    if HangulSyllable.jamo.contains(scalar.value) { return .jamo }
    if let parts = tibetanVowels[scalar] { return .apart(parts) }
    let properties = scalar.properties
    guard let age = properties.age, age.major <= 9 else { return .unchanged }
    let isMark = properties.canonicalCombiningClass != .notReordered
    let isShort = scalar.value <= 0xFFFF
    if isShort || isMark || composingBlocks.contains(where: { $0.contains(scalar.value) }) { return .together }
    return .alone
  }

  // The blocks beyond U+FFFF with scalars that compose or decompose into marks: the Indic ones and musical notes.
  // Elsewhere there, Foundation on Linux drops the upper bits of a scalar before it composes it.
  private static let composingBlocks: [ClosedRange<UInt32>] = [0x11080...0x115FF, 0x1D100...0x1D1FF]

  // Foundation on Linux leaves the parts of these where they are, though marks around them may belong before them.
  private static let tibetanVowels: [Unicode.Scalar: [Unicode.Scalar]] = [
    "\u{0F73}": ["\u{0F71}", "\u{0F72}"],
    "\u{0F75}": ["\u{0F71}", "\u{0F74}"],
    "\u{0F81}": ["\u{0F71}", "\u{0F80}"],
  ]
}
