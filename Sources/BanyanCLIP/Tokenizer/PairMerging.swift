/// The state of byte-pair training: the words as tokens, and how often each pair of neighbours occurs.
///
/// A merge touches only the words that hold its pair: their pairs are taken off the counts and the new ones put on.
/// Every merge makes a token of its own, so the count of a pair rises only when the pair is new.
struct PairMerging {
  /// A pair as it stood when it was queued: more frequent first, then by spelling.
  private struct Candidate: Comparable {
    let count: Int
    let pair: UInt64
    let left: String
    let right: String

    static func == (a: Candidate, b: Candidate) -> Bool { (a.count, a.pair) == (b.count, b.pair) }

    static func < (a: Candidate, b: Candidate) -> Bool {
      if a.count != b.count { return a.count > b.count }
      // By bytes, since the order of Swift's texts is that of their composed forms.
      if a.left.utf8.elementsEqual(b.left.utf8) { return a.right.utf8.lexicographicallyPrecedes(b.right.utf8) }
      return a.left.utf8.lexicographicallyPrecedes(b.left.utf8)
    }
  }

  /// The tokens by id.
  private(set) var tokens: [String]
  /// The merges made so far, as `left right`.
  private(set) var merges: [String] = []
  private var spellings: Set<String>
  private var words: [[Int32]]
  private let wordCounts: [Int]
  private let minimumCount: Int
  private var pairCounts: [UInt64: Int] = [:]
  // Every word that holds a pair is listed; one that no longer does may be.
  private var holders: [UInt64: [Int]] = [:]
  private var queue = MinimumHeap<Candidate>()

  /// Starts from the bytes of `words`; `tokens` must hold each byte's character with and without the end mark.
  init(tokens: [String], words: WordCounts, minimumCount: Int) {
    self.tokens = tokens
    self.minimumCount = minimumCount
    let ids = Dictionary(uniqueKeysWithValues: zip(tokens, tokens.indices.map(Int32.init)))
    spellings = Set(tokens)
    let inner = ByteAlphabet.characters.map { ids[$0] ?? 0 }
    let final = ByteAlphabet.characters.map { ids[$0 + ByteAlphabet.endOfWord] ?? 0 }
    wordCounts = words.words.map(\.count)
    self.words = words.words.map { word in
      word.bytes.dropLast().map { inner[Int($0)] } + word.bytes.suffix(1).map { final[Int($0)] }
    }
    for index in self.words.indices { count(index) }
    for pair in pairCounts.keys { offer(pair) }
  }

  /// Makes the most frequent pair one token; `false` where no pair is frequent enough.
  mutating func mergeMostFrequent() -> Bool {
    while let candidate = queue.popMinimum() {
      guard pairCounts[candidate.pair] == candidate.count else {
        // The count fell since the pair was queued.
        offer(candidate.pair)
        continue
      }
      // Another pair may have made this spelling already; a vocabulary holds it once.
      guard spellings.insert(candidate.left + candidate.right).inserted else { continue }
      merge(candidate)
      return true
    }
    return false
  }

  private mutating func merge(_ candidate: Candidate) {
    let (left, right) = Self.parts(candidate.pair)
    let merged = Int32(tokens.count)
    tokens.append(candidate.left + candidate.right)
    merges.append("\(candidate.left) \(candidate.right)")
    var new: Set<UInt64> = []
    for index in holders.removeValue(forKey: candidate.pair) ?? [] {
      let old = words[index]
      let shorter = Self.replacing(left, right, by: merged, in: old)
      guard shorter.count < old.count else { continue }
      for pair in Self.pairs(old) { pairCounts[pair, default: 0] -= wordCounts[index] }
      words[index] = shorter
      count(index)
      for pair in Self.pairs(shorter) where Self.holds(pair, merged) { new.insert(pair) }
    }
    pairCounts[candidate.pair] = nil
    for pair in new { offer(pair) }
  }

  /// Puts the pairs of a word on the counts.
  private mutating func count(_ index: Int) {
    for pair in Self.pairs(words[index]) {
      pairCounts[pair, default: 0] += wordCounts[index]
      if holders[pair]?.last != index { holders[pair, default: []].append(index) }
    }
  }

  private mutating func offer(_ pair: UInt64) {
    guard let count = pairCounts[pair], count >= minimumCount else { return }
    let (left, right) = Self.parts(pair)
    queue.insert(Candidate(count: count, pair: pair, left: tokens[Int(left)], right: tokens[Int(right)]))
  }

  private static func replacing(_ left: Int32, _ right: Int32, by merged: Int32, in word: [Int32]) -> [Int32] {
    var result: [Int32] = []
    result.reserveCapacity(word.count)
    var at = 0
    while at < word.count {
      if at + 1 < word.count, word[at] == left, word[at + 1] == right {
        result.append(merged)
        at += 2
      } else {
        result.append(word[at])
        at += 1
      }
    }
    return result
  }

  private static func pairs(_ word: [Int32]) -> [UInt64] {
    zip(word, word.dropFirst()).map { UInt64(UInt32(bitPattern: $0)) << 32 | UInt64(UInt32(bitPattern: $1)) }
  }

  private static func parts(_ pair: UInt64) -> (left: Int32, right: Int32) {
    (Int32(truncatingIfNeeded: pair >> 32), Int32(truncatingIfNeeded: pair))
  }

  private static func holds(_ pair: UInt64, _ token: Int32) -> Bool {
    let (left, right) = parts(pair)
    return left == token || right == token
  }
}
