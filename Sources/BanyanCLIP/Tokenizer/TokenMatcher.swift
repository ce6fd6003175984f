/// Finds fixed texts in a text: the leftmost, and there the longest.
struct TokenMatcher: Sendable {
  /// A text to find and the id that it becomes.
  struct Entry: Sendable {
    let utf8: [UInt8]
    let id: Int32
  }

  private let entries: [Entry]
  private let firstBytes: Set<UInt8>

  /// A matcher of `entries`, none of them empty.
  init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.utf8.count > $1.utf8.count }
    firstBytes = Set(entries.compactMap(\.utf8.first))
  }

  /// Calls `onToken` for each match and `onText` for each stretch between matches, in order.
  func split(_ utf8: [UInt8], onToken: (Int32) -> Void, onText: (Range<Int>) -> Void) {
    var start = 0
    var at = 0
    while !entries.isEmpty, at < utf8.count {
      guard firstBytes.contains(utf8[at]), let entry = entries.first(where: { utf8[at...].starts(with: $0.utf8) })
      else {
        at += 1
        continue
      }
      if start < at { onText(start..<at) }
      onToken(entry.id)
      at += entry.utf8.count
      start = at
    }
    if start < utf8.count { onText(start..<utf8.count) }
  }
}
