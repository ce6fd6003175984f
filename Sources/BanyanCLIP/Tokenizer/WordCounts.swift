/// How often each word occurs in some texts, with the words that ``CLIPTokenizer`` would merge.
struct WordCounts {
  /// The words' UTF-8 bytes in a fixed order, and how often each occurs.
  let words: [(bytes: [UInt8], count: Int)]

  var isEmpty: Bool { words.isEmpty }

  init(_ texts: some Sequence<String>) {
    var counts: [[UInt8]: Int] = [:]
    for text in texts {
      let utf8 = TextNormalizer.normalized(Array(text.utf8)[...])
      WordSplitter.forEachWord(in: utf8, utf8.indices) { counts[Array(utf8[$0]), default: 0] += 1 }
    }
    words = counts.map { (bytes: $0.key, count: $0.value) }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }
}
