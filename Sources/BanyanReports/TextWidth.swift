/// How many columns of a terminal a text takes, and texts that take a given number.
///
/// A character of East Asian scripts or an emoji takes two columns, a combining mark none; counting characters would
/// break every table that holds one.
enum TextWidth {
  /// The number of columns `text` takes.
  static func columns(_ text: some StringProtocol) -> Int {
    text.reduce(0) { $0 + columns($1) }
  }

  /// `text` with control characters replaced, so that a name from a file can neither break a line nor steer a terminal.
  static func printable(_ text: String) -> String {
    String(
      text.map { character in
        let control = character.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return control ? "\u{FFFD}" : character
      })
  }

  /// `text` with blanks on the right, `width` columns at least.
  static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - columns(text)))
  }

  /// `text` with blanks on the left, `width` columns at least.
  static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - columns(text))) + text
  }

  /// The beginning of `text` in at most `width` columns, with `…` where something is cut.
  static func clipped(_ text: String, _ width: Int) -> String {
    columns(text) <= width ? text : prefix(text, width - 1) + (width > 0 ? "…" : "")
  }

  /// The beginning and the end of `text` in at most `width` columns, with `…` between: keeps apart what differs last.
  static func clippedInside(_ text: String, _ width: Int) -> String {
    guard columns(text) > width, width > 2 else { return clipped(text, width) }
    let tail = (width - 1) / 2
    return prefix(text, width - 1 - tail) + "…" + String(prefix(String(text.reversed()), tail).reversed())
  }

  private static func prefix(_ text: String, _ width: Int) -> String {
    var taken = 0
    return String(
      text.prefix { character in
        taken += columns(character)
        return taken <= width
      })
  }

  private static func columns(_ character: Character) -> Int {
    // One grapheme is as wide as its widest scalar; the emoji selector makes a narrow one wide.
    character.unicodeScalars.reduce(0) { max($0, $1.value == 0xFE0F ? 2 : columns($1)) }
  }

  private static func columns(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// The blocks of wide and full-width characters (Unicode Standard Annex 11), without single exceptions.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
    0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
    0x1F900...0x1F9FF, 0x20000...0x3FFFD,
  ]
}
