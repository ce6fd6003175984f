import Foundation

/// A digest as the last member of a JSON object's text, so that a changed digit is an error and no other result.
///
/// It stands in the very form in which ``JSONDocument`` writes, `"seal" : "<SHA-256>"`, and is of the text without it. A file that
/// another program has laid out anew has no seal in this form and counts as one without.
enum JSONSeal {
  private static let opening = Data(",\n  \"seal\" : \"".utf8)
  private static let closing = Data("\"\n}\n".utf8)
  private static let end = Data("\n}\n".utf8)
  private static let digits = 64

  /// `text` with its seal; as it is where it is no object with members.
  static func added(to text: Data) -> Data {
    guard text.first == UInt8(ascii: "{"), text.suffix(end.count) == end, text.contains(UInt8(ascii: ":")) else {
      return text
    }
    return text.dropLast(end.count) + opening + Data(ContentHash.sha256(text).utf8) + closing
  }

  /// `text` without its seal, and whether that fits; `nil` where there is none.
  static func opened(_ text: Data) -> (contents: Data, fits: Bool?) {
    let length = opening.count + digits + closing.count
    let seal = text.suffix(length)
    guard seal.count == length, seal.prefix(opening.count) == opening, seal.suffix(closing.count) == closing else {
      return (text, nil)
    }
    let contents = text.dropLast(length) + end
    let digest = seal.dropFirst(opening.count).prefix(digits)
    return (contents, Data(ContentHash.sha256(contents).utf8) == digest)
  }
}
