import BanyanFoundation
import Dispatch
import Foundation
import Synchronization

/// Hashes and tests many files on all cores.
struct FileHashing {
  /// Tests a file after it was hashed; `nil` for no test.
  let verify: (@Sendable (URL) throws -> Void)?
  /// Whether failures are results rather than the end.
  let keepGoing: Bool

  /// The hash, or the error, of each file in `paths`.
  ///
  /// - Throws: Where failures end the work, the error of the first file in the order of `paths` that fails, whichever
  ///   thread meets one first.
  func hashes(of paths: [String]) throws -> [Result<String, BanyanError>] {
    let results = Mutex([Result<String, BanyanError>?](repeating: nil, count: paths.count))
    let firstFailure = Mutex(Int.max)
    // Files differ in size, so threads take small pieces; one lock a piece costs nothing beside the reading.
    let piece = 16
    DispatchQueue.concurrentPerform(iterations: (paths.count + piece - 1) / piece) { index in
      let range = index * piece..<min(paths.count, (index + 1) * piece)
      if !keepGoing && firstFailure.withLock({ $0 }) < range.lowerBound { return }
      let found = range.map { hash(paths[$0]) }
      if let failed = zip(range, found).first(where: { (try? $1.get()) == nil }) {
        firstFailure.withLock { $0 = min($0, failed.0) }
      }
      results.withLock { results in
        for (place, result) in zip(range, found) { results[place] = result }
      }
    }
    if !keepGoing, let failure = results.withLock({ $0.lazy.compactMap { $0 }.first { (try? $0.get()) == nil } }) {
      _ = try failure.get()
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  private func hash(_ path: String) -> Result<String, BanyanError> {
    let url = URL(fileURLWithPath: path, isDirectory: false)
    do {
      let hash = try ContentHash.sha256(file: url)
      try verify?(url)
      return .success(hash)
    } catch let error as BanyanError {
      // A decoder may know only bytes; the file's name is what helps.
      let isNamed = error.subject.contains(path) || error.message.contains(path)
      return .failure(
        isNamed ? error : BanyanError(error.kind, at: path, error.description, remedy: ""))
    } catch {
      return .failure(BanyanError(.malformed, at: path, "cannot be decoded: \(error)"))
    }
  }
}
