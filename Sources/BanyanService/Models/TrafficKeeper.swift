import BanyanTraining
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// Keeps what `banyan drift` compares, and writes it from time to time and at the end.
final class TrafficKeeper: Service {
  private let url: URL
  private let logger: Logger
  private let traffic: Mutex<Traffic>
  private static let interval = Duration.seconds(10)

  /// Goes on with the file where there is one.
  init(_ url: URL, logger: Logger) throws {
    (self.url, self.logger) = (url, logger)
    let isThere = FileManager.default.fileExists(atPath: url.path)
    traffic = Mutex(try isThere ? Traffic(contentsOf: url) : Traffic())
  }

  /// Takes note of a picture under tasks.
  func add(_ feature: [Float], _ answers: [(place: Int, runs: ServedRuns, probabilities: [Double])]) {
    traffic.withLock { traffic in
      for (place, runs, probabilities) in answers {
        let task = runs.tasks[place]
        traffic.add(feature, probabilities: probabilities, task: task.name, origin: task.origin)
      }
    }
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while (try? await Task.sleep(for: Self.interval)) != nil { self.save() }
    }
    save()
  }

  private func save() {
    let now = traffic.withLock { $0 }
    guard !now.taskNames.isEmpty else { return }
    do {
      try now.write(to: url)
    } catch {
      logger.error("traffic not kept", metadata: ["error": "\(error)"])
    }
  }
}
