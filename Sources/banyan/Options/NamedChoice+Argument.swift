import ArgumentParser
import BanyanFoundation

extension NamedChoice {
  /// The choice that a word on the command line names; for the `transform` of an option.
  static func argument(_ word: String) throws -> Self {
    guard let choice = Self(rawValue: word) else {
      throw ValidationError("expected \(words), found \(word)")
    }
    return choice
  }

  /// All words, for help.
  static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
