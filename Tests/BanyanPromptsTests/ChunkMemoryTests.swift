import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// The activation budget bounds what a step keeps, however many class names and tasks there are.
@Suite(
  .serialized, .enabled(if: ResidentMemory.isMeasurable, "needs Linux's /proc/self/clear_refs"),
  .disabled(if: Sanitizer.isPresent, Comment(rawValue: Sanitizer.memoryReason)))
struct ChunkMemoryTests {
  /// How far a step raises the peak of resident memory, in bytes.
  private func growth(_ method: String = "coop", classes: Int, tasks: Int = 1, budget: Int) throws -> Int {
    let laws = try MethodLaws(method)
    let all = (0..<tasks).map { task in
      PromptTask(name: "many \(task)", classNames: (0..<classes).map { "red fox \($0) \(task)" })
    }
    let method = try laws.method(all, budget: budget)
    let parameters = try laws.leaves(method)
    let batches = try all.indices.map { try laws.clip.batch(task: $0, classes: classes, seed: 1) }
    let before = try ResidentMemory.resetPeak()
    _ = try method.step(parameters, batches)
    return try ResidentMemory.peak() - before
  }

  /// Compares a step in chunks with a whole one, again where that fails.
  ///
  /// The system counts for the process, and other tests may have taken or given memory meanwhile; a step without chunks fails
  /// every time.
  private func compare(chunked: () throws -> Int, whole: () throws -> Int) throws {
    var found = (chunked: 0, whole: 0)
    for _ in 0..<8 {
      found = try (chunked(), whole())
      if found.whole > 50 << 20, found.chunked < found.whole / 3 { return }
    }
    #expect(found.whole > 50 << 20, "the whole took \(found.whole >> 20) MiB: the comparison says nothing")
    #expect(found.chunked < found.whole / 3, "\(found.chunked >> 20) MiB in chunks, \(found.whole >> 20) MiB whole")
  }

  @Test(arguments: ["coop", "maple", "fine-tuning"])
  func `with many class names a step stays near its budget`(_ method: String) throws {
    _ = try growth(method, classes: 100, budget: 4 << 20)
    try compare(
      chunked: { try growth(method, classes: 4000, budget: 4 << 20) },
      whole: { try growth(method, classes: 4000, budget: 1 << 40) })
  }

  @Test func `with many tasks of few class names each a step stays near its budget`() throws {
    try compare(
      chunked: { try growth(classes: 160, tasks: 40, budget: 32 << 20) },
      whole: { try growth(classes: 160, tasks: 40, budget: 1 << 40) })
  }
}

/// The process's resident memory as Linux counts it.
private enum ResidentMemory {
  static var isMeasurable: Bool {
    FileManager.default.isWritableFile(atPath: "/proc/self/clear_refs") && (try? resetPeak()) != nil
  }

  /// Gives freed memory back, forgets the peak and returns what is resident now.
  static func resetPeak() throws -> Int {
    // What earlier steps have freed would serve the next one and hide what it takes.
    if let symbol = dlsym(nil, "malloc_trim") {
      _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
    }
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"), options: [])
    return try value("VmRSS")
  }

  static func peak() throws -> Int { try value("VmHWM") }

  private static func value(_ key: String) throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(key + ":") })
    return try #require(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) })
      << 10
  }
}
