import BanyanFoundation
import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns the first SIGINT or SIGTERM into a request to stop and save; the second ends the program at once.
final class Interruption: @unchecked Sendable {
  private let requested = Atomic<Bool>(false)
  // Written once, in the initialiser; kept so that the signals stay watched.
  private let sources: [any DispatchSourceSignal]

  init() {
    let queue = DispatchQueue(label: "banyan.signals")
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for source in sources {
      source.setEventHandler { [weak self] in
        // Without what other libraries do at an exit: their memory is in use by the step.
        if self?.requested.exchange(true, ordering: .relaxed) == true { _exit(130) }
        Terminal.note("\nStopping after this step; press Ctrl-C again to leave at once.")
      }
      source.resume()
    }
  }

  /// Whether the user has asked to stop.
  var isRequested: Bool { requested.load(ordering: .relaxed) }
}
