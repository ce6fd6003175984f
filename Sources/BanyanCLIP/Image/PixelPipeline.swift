public import BanyanFoundation
public import Foundation

/// Work on many pictures on all cores, ahead of its use, in order, in bounded memory.
///
/// While the caller's `body` consumes one batch, threads prepare the next ones; at most `batchesAhead` of them are
/// kept. A picture that cannot be prepared is a failure in its place of the batch and stops nothing, unlike an error
/// that `body` throws, which ends the work.
public enum PixelPipeline {
  /// How many threads prepare pictures unless the caller says otherwise: one per core.
  public static var defaultThreads: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

  /// Prepares `urls` and hands them to `body` batch by batch.
  ///
  /// - Parameters:
  ///   - urls: The files, in the order in which `body` sees them.
  ///   - batchSize: How many pictures `body` gets at once; the last batch may have fewer.
  ///   - threads: How many pictures are prepared at the same time.
  ///   - batchesAhead: How many batches beyond the one in use may lie prepared.
  ///   - prepare: Turns a file into planes; called on several threads at once.
  ///   - body: Gets the batch and the indices of its pictures in `urls`; called on the caller's thread.
  /// - Throws: What `body` throws, or a `BanyanError` of kind `usage` where a count is below 1 and of kind `failed` where the
  ///   system gives no thread.
  public static func forEachBatch(
    of urls: [URL], batchSize: Int, threads: Int = defaultThreads, batchesAhead: Int = 2,
    prepare: @escaping @Sendable (URL) throws -> [Float],
    body: ([Result<[Float], BanyanError>], Range<Int>) throws -> Void
  ) throws {
    try forEachBatch(
      ofCount: urls.count, batchSize: batchSize, threads: threads, batchesAhead: batchesAhead,
      name: { urls[$0].path }, prepare: { try prepare(urls[$0]) }, body: body)
  }

  /// Prepares the items 0 ..< `count` and hands them to `body` batch by batch.
  ///
  /// Unlike ``forEachBatch(of:batchSize:threads:batchesAhead:prepare:body:)`` the items are known by index, so that
  /// `prepare` may draw a seed per item, and may be anything.
  ///
  /// - Parameters:
  ///   - count: How many items there are.
  ///   - batchSize: How many items `body` gets at once; the last batch may have fewer.
  ///   - threads: How many items are prepared at the same time.
  ///   - batchesAhead: How many batches beyond the one in use may lie prepared.
  ///   - name: What an error calls the item, where `prepare` throws one that is not a `BanyanError`.
  ///   - prepare: Makes the item of an index; called on several threads at once.
  ///   - body: Gets the batch and its indices; called on the caller's thread.
  /// - Throws: What `body` throws, or a `BanyanError` of kind `usage` where a count is below 1 and of kind `failed` where the
  ///   system gives no thread.
  public static func forEachBatch<Item: Sendable>(
    ofCount count: Int, batchSize: Int, threads: Int = defaultThreads, batchesAhead: Int = 2,
    name: @escaping @Sendable (Int) -> String = { "item \($0)" },
    prepare: @escaping @Sendable (Int) throws -> Item,
    body: ([Result<Item, BanyanError>], Range<Int>) throws -> Void
  ) throws {
    for (label, value) in [("batchSize", batchSize), ("threads", threads), ("batchesAhead", batchesAhead)] {
      guard value >= 1 else { throw BanyanError(.usage, at: label, "expected at least 1, found \(value)") }
    }
    guard count > 0 else { return }
    // A batch larger than the work is the work; so no product below can overflow.
    let batchSize = min(batchSize, count)
    let window = batchSize * (1 + min(batchesAhead, count / batchSize))
    let queue = LookaheadQueue<Item>(count: count, window: window)
    // Threads of their own rather than a shared pool: decoding blocks on disks, and must not starve the pool.
    let workers = try WorkerThreads(upTo: min(threads, count, 1024), name: "banyan.pixels") {
      queue.work { index in
        do {
          return .success(try prepare(index))
        } catch let error as BanyanError {
          return .failure(error)
        } catch {
          return .failure(BanyanError(.failed, at: name(index), "\(error)"))
        }
      }
    }
    defer {
      queue.stop()
      workers.join()
    }
    for start in stride(from: 0, to: count, by: batchSize) {
      let range = start..<min(start + batchSize, count)
      try body(queue.take(range), range)
    }
  }
}
