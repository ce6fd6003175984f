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
    /// What could not be read of late, and since when.
    var failure: (digest: String, time: ContinuousClock.Instant)?
  }

  /// How soon runs that could not be read are tried again, where their records have not changed.
  private static let patience = Duration.seconds(60)

  /// Reads all runs.
  public init(_ sources: [ServedRuns.Source]) throws {
    self.sources = sources
    // Before they are read: what is exchanged meanwhile is newer.
    let digest = Self.digest(sources)
    state = Mutex(State(runs: try ServedRuns(sources), digest: digest))
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
  /// Towers that are served already are not read a second time.
  ///
  /// - Parameter onlyIfChanged: Whether equal records are left alone, and those that could not be read within the last minute.
  /// - Returns: The runs; `nil` where they were left alone.
  /// - Throws: A `BanyanError` where one cannot be read.
  public func read(onlyIfChanged: Bool = false) throws -> Fresh? {
    let digest = Self.digest(sources)
    let now = ContinuousClock().now
    let (current, isKnown) = state.withLock { state in
      let isBad = state.failure.map { $0.digest == digest && $0.time.duration(to: now) < Self.patience } ?? false
      return (state.runs, state.digest == digest || isBad)
    }
    if onlyIfChanged, isKnown { return nil }
    do {
      return Fresh(runs: try ServedRuns(sources, sharing: current), digest: digest)
    } catch {
      state.withLock { $0.failure = (digest, now) }
      throw error
    }
  }

  /// Takes note that these cannot be served; they are left alone for a while.
  public func refuse(_ fresh: Fresh) {
    state.withLock { $0.failure = (fresh.digest, ContinuousClock().now) }
  }

  /// Serves these from now on.
  public func install(_ fresh: Fresh) {
    state.withLock {
      $0.runs = fresh.runs
      $0.digest = fresh.digest
      $0.reloads += 1
      $0.failure = nil
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
