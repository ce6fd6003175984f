import BanyanFoundation
import Foundation
import Synchronization

/// The runs that are served now, and how they are exchanged for newer ones.
///
/// A request takes ``current`` once and stays with it, so that an exchange drops nothing; the old runs are freed when the last
/// request that holds them is answered.
public final class RunLibrary: Sendable {
  private let sources: [ServedRuns.Source]
  private let state: Mutex<State>

  private struct State {
    var runs: ServedRuns
    var digest: String
    var reloads = 0
  }

  /// Reads all runs.
  public init(_ sources: [ServedRuns.Source]) throws {
    self.sources = sources
    state = Mutex(State(runs: try ServedRuns(sources), digest: Self.digest(sources)))
  }

  /// What is served now.
  public var current: ServedRuns { state.withLock { $0.runs } }

  /// How often runs have been exchanged.
  public var reloads: Int { state.withLock { $0.reloads } }

  /// Runs that could take the place of those that are served.
  public struct Fresh: Sendable {
    /// The runs.
    public let runs: ServedRuns
    fileprivate let digest: String
  }

  /// Reads all runs anew; those that are served stay until ``install(_:)``.
  ///
  /// - Parameter onlyIfChanged: Whether equal records are left alone.
  /// - Returns: The runs; `nil` where they were left alone.
  /// - Throws: A `BanyanError` where one cannot be read.
  public func read(onlyIfChanged: Bool = false) throws -> Fresh? {
    let digest = Self.digest(sources)
    if onlyIfChanged, state.withLock({ $0.digest == digest }) { return nil }
    return Fresh(runs: try ServedRuns(sources), digest: digest)
  }

  /// Serves these from now on.
  public func install(_ fresh: Fresh) {
    state.withLock {
      $0.runs = fresh.runs
      $0.digest = fresh.digest
      $0.reloads += 1
    }
  }

  /// What changes when a run does: its record is the last of its files to be written.
  private static func digest(_ sources: [ServedRuns.Source]) -> String {
    let parts = sources.map { source in
      (try? AtomicFile.read(source.folder.appendingPathComponent("record.json"))).map { ContentHash.sha256($0) } ?? ""
    }
    return parts.joined(separator: "\n")
  }
}
