/// A random generator whose whole state is one seed and one counter (SplitMix64).
///
/// Unlike the system's generator its stream is the same on every machine, and a stream for a purpose is derived from a
/// seed and a label, so that no two purposes share numbers and adding one does not shift the others.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable, Codable {
  private var state: UInt64

  /// The stream of `seed` for the purpose `label`.
  public init(seed: UInt64, label: String = "") {
    // FNV-1a over the label separates the streams of one seed.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    var mixer = SeededGenerator(state: seed ^ (hash &* 0x9e37_79b9_7f4a_7c15))
    state = mixer.next() ^ hash
  }

  private init(state: UInt64) { self.state = state }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number in [0, 1).
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// An integer in 0 ..< `bound`, without bias; the same on every platform, unlike `Int.random`.
  public mutating func integer(below bound: Int) -> Int {
    let bound = UInt64(bound)
    while true {
      let (high, low) = next().multipliedFullWidth(by: bound)
      if low >= (0 &- bound) % bound { return Int(high) }
    }
  }

  /// A shuffled copy (Fisher-Yates).
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for i in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(i, integer(below: i + 1)) }
    return elements
  }
}
