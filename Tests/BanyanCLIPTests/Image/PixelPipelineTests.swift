import BanyanCLIP
import BanyanFoundation
import Foundation
import Synchronization
import Testing

@Suite("Preparing many pictures")
struct PixelPipelineTests {
  @Test("batches come whole and in order", arguments: [1, 3, 16], [1, 4, 7, 100])
  func batchesAreInOrder(threads: Int, batchSize: Int) throws {
    var seen: [Int] = []
    try PixelPipeline.forEachBatch(ofCount: 23, batchSize: batchSize, threads: threads) { index in
      if index % 5 == 0 { Thread.sleep(forTimeInterval: 0.002) }
      return index * index
    } body: { results, range in
      #expect(results.count == range.count)
      #expect(range.count == batchSize || range.upperBound == 23)
      #expect(range.lowerBound == seen.count)
      for result in results { seen.append(try result.get()) }
    }
    #expect(seen == (0..<23).map { $0 * $0 })
  }

  @Test("files are decoded and prepared as one by one")
  func filesEqualOneByOne() throws {
    let urls = try ImageGoldens.index.get().decoded.map { ImageGoldens.url($0.file) }
    let preprocessor = try ImagePreprocessor(imageSize: 24)
    var planes: [[Float]] = []
    try PixelPipeline.forEachBatch(of: urls, batchSize: 8, threads: 4) {
      preprocessor(try ImageDecoder.decode(contentsOf: $0))
    } body: { results, _ in
      planes += try results.map { try $0.get() }
    }
    #expect(try planes == urls.map { preprocessor(try ImageDecoder.decode(contentsOf: $0)) })
  }

  @Test("a picture that fails is a failure in its place")
  func failuresStayInPlace() throws {
    struct Odd: Error {}
    let urls = (0..<9).map { URL(fileURLWithPath: "/nowhere/\($0).jpg") }
    var failures: [BanyanError] = []
    try PixelPipeline.forEachBatch(of: urls, batchSize: 4, threads: 2) { url in
      if url.lastPathComponent == "5.jpg" { throw Odd() }
      if url.lastPathComponent == "7.jpg" { return [1] }
      _ = try ImageDecoder.decode(contentsOf: url)
      return []
    } body: { results, range in
      for (index, result) in zip(range, results) {
        switch result {
        case .success(let values): #expect(index == 7 && values == [1])
        case .failure(let error): failures.append(error)
        }
      }
    }
    #expect(failures.map(\.subject) == urls.map(\.path).filter { !$0.hasSuffix("7.jpg") })
    #expect(failures[5].kind == .failed)
  }

  @Test("work runs ahead of the body but never further than asked")
  func lookaheadIsBounded() throws {
    let begun = Mutex(0)
    var ranAhead = false
    try PixelPipeline.forEachBatch(ofCount: 60, batchSize: 5, threads: 3, batchesAhead: 2) { index in
      begun.withLock { $0 += 1 }
      return index
    } body: { _, range in
      Thread.sleep(forTimeInterval: 0.005)
      let count = begun.withLock { $0 }
      if count > range.upperBound { ranAhead = true }
      // The batch in use is taken; two more and the one that is being filled may be begun.
      #expect(count <= range.upperBound + 15)
    }
    #expect(ranAhead)
    #expect(begun.withLock { $0 } == 60)
  }

  @Test("an error of the body ends the work and is thrown")
  func bodyErrorsEndTheWork() {
    let begun = Mutex(0)
    let error = banyanError {
      try PixelPipeline.forEachBatch(ofCount: 100_000, batchSize: 2, threads: 2) { _ in
        begun.withLock { $0 += 1 }
      } body: { _, range in
        if range.lowerBound == 4 { throw BanyanError(.interrupted, at: "test", "stopped") }
      }
    }
    #expect(error?.kind == .interrupted)
    let count = begun.withLock { $0 }
    #expect(count <= 12)
    Thread.sleep(forTimeInterval: 0.02)
    #expect(begun.withLock { $0 } == count)
  }

  @Test("nothing to do is done at once, and impossible counts are named")
  func countsAreChecked() throws {
    try PixelPipeline.forEachBatch(
      of: [], batchSize: 4, prepare: { _ in [] }, body: { _, _ in Issue.record("there is no batch") })
    for (size, threads, ahead, subject) in [(0, 1, 1, "batchSize"), (1, 0, 1, "threads"), (1, 1, 0, "batchesAhead")] {
      let error = banyanError {
        try PixelPipeline.forEachBatch(
          ofCount: 3, batchSize: size, threads: threads, batchesAhead: ahead, prepare: { $0 }, body: { _, _ in })
      }
      #expect(error?.subject == subject)
    }
    var total = 0
    try PixelPipeline.forEachBatch(
      ofCount: 3, batchSize: .max, threads: .max, batchesAhead: .max, prepare: { $0 },
      body: { items, _ in total += items.count })
    #expect(total == 3)
  }

  @Test("threads all work and are waited for; where the system gives none, that is said")
  func threadsAreToldThatDoNotStart() throws {
    let done = Mutex(0)
    let three = try WorkerThreads(upTo: 3, name: "test") {
      Thread.sleep(forTimeInterval: 0.01)
      done.withLock { $0 += 1 }
    }
    #expect(three.count == 3)
    three.join()
    #expect(done.withLock { $0 } == 3)
    // No machine has such a stack to give.
    let error = banyanError {
      _ = try WorkerThreads(upTo: 3, name: "test", stackBytes: 1 << 60) { done.withLock { $0 += 1 } }
    }
    #expect(error?.kind == .failed && error?.subject == "threads")
    #expect(done.withLock { $0 } == 3)
  }
}
