/// The arithmetic that composes Korean letters (jamo) into syllables.
///
/// Written out because Foundation's on Linux is one off at the borders: it composes U+1113 and U+1176, drops U+11A7,
/// and leaves some syllables beside their final consonant.
enum HangulSyllable {
  /// The letters; none of them composes with anything else.
  static let jamo: ClosedRange<UInt32> = 0x1100...0x11FF

  private static let initials: Range<UInt32> = 0x1100..<0x1113
  private static let vowels: Range<UInt32> = 0x1161..<0x1176
  private static let finals: Range<UInt32> = 0x11A8..<0x11C3
  private static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
  // A syllable's place counts its final consonants (none included) fastest, then its vowels.
  private static let finalCount: UInt32 = 28
  private static let vowelCount: UInt32 = 21

  /// The syllable of an initial consonant and a vowel, or of a syllable without a final consonant and one.
  static func composed(_ left: Unicode.Scalar, _ right: Unicode.Scalar) -> Unicode.Scalar? {
    if initials.contains(left.value), vowels.contains(right.value) {
      let place = (left.value - initials.lowerBound) * vowelCount + right.value - vowels.lowerBound
      return Unicode.Scalar(syllables.lowerBound + place * finalCount)
    }
    if finals.contains(right.value), syllables.contains(left.value) {
      guard (left.value - syllables.lowerBound).isMultiple(of: finalCount) else { return nil }
      return Unicode.Scalar(left.value + right.value - finals.lowerBound + 1)
    }
    return nil
  }
}
