import BanyanFoundation
import BanyanTraining
import Foundation
import Logging
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Keeps what `banyan drift` compares, and writes it from time to time and at the end.
final class TrafficKeeper: Service {
  private let url: URL
  private let logger: Logger
  private let lock: Int32
  private let kept: Mutex<Kept>
  private static let interval = Duration.seconds(10)

  private struct Kept {
    var traffic: Traffic
    /// Whether there is more than the file has.
    var isNew = false
  }

  /// Goes on with the file where there is one.
  ///
  /// - Throws: A `BanyanError` where it is damaged, or another service keeps its traffic there.
  init(_ url: URL, logger: Logger) throws {
    lock = try Self.lock(url)
    (self.url, self.logger) = (url, logger)
    let isThere = FileManager.default.fileExists(atPath: url.path)
    kept = Mutex(Kept(traffic: try isThere ? Traffic(contentsOf: url) : Traffic()))
  }

  deinit { close(lock) }

  /// A descriptor that keeps others away from the file as long as it is open; the lock is a file beside it, which stays.
  private static func lock(_ url: URL) throws -> Int32 {
    try AtomicFile.createFolder(url.deletingLastPathComponent())
    let place = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).lock").path
    let descriptor = open(place, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw BanyanError(.failed, at: "--traffic \(url.path)", "cannot be written: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw BanyanError(
        .failed, at: "--traffic \(url.path)", "another service keeps its traffic there",
        remedy: "Give every service a file of its own.")
    }
    return descriptor
  }

  /// Takes note of a picture under tasks.
  func add(_ feature: [Float], _ answers: [(place: Int, runs: ServedRuns, probabilities: [Double])]) {
    kept.withLock { kept in
      for (place, runs, probabilities) in answers {
        let task = runs.tasks[place]
        kept.traffic.add(feature, probabilities: probabilities, task: task.name, origin: task.origin)
      }
      kept.isNew = true
    }
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while (try? await Task.sleep(for: Self.interval)) != nil {
        // Beside what answers: the disk may take its time.
        try? await NIOThreadPool.singleton.runIfActive { self.save() }
      }
    }
    save()
  }

  /// Writes what is new.
  private func save() {
    let new: Traffic? = kept.withLock { kept in
      defer { kept.isNew = false }
      return kept.isNew ? kept.traffic : nil
    }
    do {
      try new?.write(to: url)
    } catch {
      kept.withLock { $0.isNew = true }
      logger.error("traffic not kept", metadata: ["error": "\(error)"])
    }
  }
}
