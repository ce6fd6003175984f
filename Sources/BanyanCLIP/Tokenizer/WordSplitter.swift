/// Cuts normalised text into the words that are merged one by one.
///
/// In the order of the pattern
/// `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`; whitespace between words
/// is dropped.
enum WordSplitter {
  private enum Kind {
    case letter, number, space, other
  }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.utf8) }
  private static let spelledSpecials = ["<|startoftext|>", "<|endoftext|>"].map { Array($0.utf8) }

  /// Calls `body` with the range of each word of `utf8[range]`, in order.
  static func forEachWord(in utf8: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var at = range.lowerBound
    while at < range.upperBound {
      let start = at
      if utf8[at] == UInt8(ascii: "'"), let match = match(contractions, in: utf8, at, range.upperBound) {
        at += match
        body(start..<at)
        continue
      }
      if utf8[at] == UInt8(ascii: "<"), let match = match(spelledSpecials, in: utf8, at, range.upperBound) {
        // Written in capitals, so no special token: the pattern takes it whole, and a second one, that of GPT-2,
        // parts its letters from its signs.
        at += match
        body(start..<start + 2)
        body(start + 2..<at - 2)
        body(at - 2..<at)
        continue
      }
      let kind = takeScalar(utf8, &at)
      if kind == .space { continue }
      if kind != .number {
        while at < range.upperBound {
          var next = at
          guard takeScalar(utf8, &next) == kind else { break }
          at = next
        }
      }
      body(start..<at)
    }
  }

  private static func match(_ choices: [[UInt8]], in utf8: [UInt8], _ at: Int, _ end: Int) -> Int? {
    choices.first { utf8[at..<end].starts(with: $0) }?.count
  }

  /// The kind of the scalar at `at`, which moves behind it.
  ///
  /// The bytes come from a `String`, so they are well formed.
  private static func takeScalar(_ utf8: [UInt8], _ at: inout Int) -> Kind {
    let first = utf8[at]
    if first < 0x80 {
      at += 1
      return asciiKinds[Int(first)]
    }
    let count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = UInt32(first) & (0x7F >> UInt32(count))
    for byte in utf8[at + 1..<at + count] { value = value << 6 | UInt32(byte & 0x3F) }
    at += count
    return Unicode.Scalar(value).map(kind) ?? .other
  }

  private static let asciiKinds: [Kind] = (0..<128).map { kind(Unicode.Scalar(UInt8($0))) }

  private static func kind(_ scalar: Unicode.Scalar) -> Kind {
    let properties = scalar.properties
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return isKnown(scalar) ? .letter : .other
    case .decimalNumber, .letterNumber, .otherNumber:
      return isKnown(scalar) ? .number : .other
    default:
      return properties.isWhitespace ? .space : .other
    }
  }

  /// Whether the scalar is in Unicode 16, whose tables the reference's patterns read; younger letters are signs there.
  private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return true }
    guard let age = scalar.properties.age else { return false }
    return age.major <= 16
  }
}
