import BanyanFoundation

extension Split {
  /// The split that a file of captions names; `nil` for an empty word.
  init?(captionSource word: String, at place: String) throws {
    if word.isEmpty { return nil }
    guard let split = Split(word: word) else {
      throw BanyanError(
        .malformed, at: place, "expected train, validation or test as the split, found \(word)",
        remedy: NearNames.remedy(for: word, among: Split.allCases.map(\.rawValue)))
    }
    self = split
  }
}
