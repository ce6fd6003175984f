extension BytePairVocabulary {
  /// A pair that may be merged; lower rank first, then the one further left.
  private struct Candidate: Comparable {
    let merge: Merge
    let left: Int

    static func == (a: Candidate, b: Candidate) -> Bool { (a.merge.rank, a.left) == (b.merge.rank, b.left) }
    static func < (a: Candidate, b: Candidate) -> Bool { (a.merge.rank, a.left) < (b.merge.rank, b.left) }
  }

  /// The ids of one word, merged as far as the merges go; n log n in the bytes of the word.
  func merge(_ word: [UInt8]) -> [Int32] {
    var symbols = byteTokens(of: word)
    guard symbols.count > 1 else { return symbols }
    // A list in two arrays: a merged symbol stays in the left place, the right place is `gone`.
    let gone: Int32 = -1
    let end = symbols.count
    var next = Array(1...end)
    var previous = Array(-1..<end - 1)
    var queue = MinimumHeap<Candidate>()
    func offer(_ left: Int, _ right: Int) {
      if let merge = merge(symbols[left], symbols[right]) { queue.insert(Candidate(merge: merge, left: left)) }
    }
    for left in 0..<end - 1 { offer(left, left + 1) }

    while let candidate = queue.popMinimum() {
      let left = candidate.left
      guard symbols[left] != gone, next[left] < end else { continue }
      let right = next[left]
      // The pair may have changed since it was queued; like the reference, only the outcome counts.
      guard merge(symbols[left], symbols[right])?.id == candidate.merge.id else { continue }
      symbols[left] = candidate.merge.id
      symbols[right] = gone
      next[left] = next[right]
      if next[left] < end {
        previous[next[left]] = left
        offer(left, next[left])
      }
      if previous[left] >= 0 { offer(previous[left], left) }
    }
    symbols.removeAll { $0 == gone }
    return symbols
  }
}
