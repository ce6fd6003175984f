import BanyanFoundation
import Foundation

/// Threads that work on one thing together and are waited for.
///
/// Unlike Foundation's `Thread`, which says nothing where the system has no thread to give, one that does not start is told.
package final class WorkerThreads {
  private final class Work {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
  }

  private var threads: [pthread_t] = []

  /// Starts threads, fewer where the system gives no more.
  ///
  /// - Parameters:
  ///   - most: How many are wanted.
  ///   - name: What debuggers call them.
  ///   - stackBytes: The stack of each; the system's choice where `nil`.
  ///   - body: What each of them does once.
  /// - Throws: A `BanyanError` of kind `failed` where not even one starts.
  package init(upTo most: Int, name: String, stackBytes: Int? = nil, body: @escaping @Sendable () -> Void) throws {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    var code = stackBytes.map { pthread_attr_setstacksize(&attributes, $0) } ?? 0
    let work = Work(name: name, body: body)
    while code == 0, threads.count < most {
      let context = Unmanaged.passRetained(work)
      #if canImport(Darwin)
        var thread: pthread_t?
      #else
        var thread = pthread_t()
      #endif
      code = pthread_create(&thread, &attributes, { WorkerThreads.run($0) }, context.toOpaque())
      if code == 0, let started = thread as pthread_t? { threads.append(started) } else { context.release() }
    }
    guard !threads.isEmpty || most < 1 else {
      throw BanyanError(
        .failed, at: "threads", "the system gives not one for \(name): \(String(cString: strerror(code)))",
        remedy: "End other programs, or raise the limit of processes.")
    }
  }

  private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
    Thread.current.name = work.name
    work.body()
    return nil
  }

  /// How many have started.
  package var count: Int { threads.count }

  /// Waits until all of them have ended.
  package func join() {
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }
}
