import Synchronization

/// The ids of words met before, shared by threads.
///
/// It stops growing at a bound, so that a service that is sent random text keeps its memory.
final class WordMemory: Sendable {
  private static let words = 1 << 16
  private static let bytesPerWord = 64

  private let known = Mutex<[[UInt8]: [Int32]]>([:])

  /// Appends the ids of `word`, where it is known; says whether it is.
  func append(_ word: [UInt8], to ids: inout [Int32]) -> Bool {
    guard let found = known.withLock({ $0[word] }) else { return false }
    ids += found
    return true
  }

  /// Keeps `ids` for `word`, while there is room.
  func remember(_ word: [UInt8], as ids: [Int32]) {
    guard word.count <= Self.bytesPerWord else { return }
    known.withLock { known in
      if known.count < Self.words { known[word] = ids }
    }
  }
}
