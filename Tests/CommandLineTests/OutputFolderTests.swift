import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where a run goes: never over something else, whole or not at all.
@Suite struct OutputFolderTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  @Test func aSecondProcessIsKeptOutOfTheFolder() throws {
    let first = try Program.start(
      shop.training("out/busy", ["--epochs", "100000", "--seeds", "1"]), in: shop.folder)
    shop.awaitSteps(of: "out/busy", by: first)
    guard shop.exists("out/busy/experiment.json"), first.process.isRunning else {
      first.kill(SIGKILL)
      let outcome = try first.finish()
      Issue.record("the first has not begun: \(outcome)")
      return
    }
    for words in [[], ["--resume"], ["--overwrite"]] {
      // Few steps, so that whoever gets in comes to an end.
      let second = try shop.train("out/busy", ["--epochs", "3", "--seeds", "1"] + words)
      let isKnown = second.err.contains("another process is using") || second.err.contains("holds a stopped run")
      #expect(second.code == 1 && isKnown, "\(second)")
    }
    first.kill(SIGINT)
    #expect(try first.finish().code == 130)
    #expect(shop.exists("out/busy/seed-1/state.safetensors"))
  }

  @Test func aFinishedRunStaysWithoutOverwrite() throws {
    let words = ["--seeds", "1"]
    #expect(try shop.train("out/kept", words).code == 0)
    let before = try shop.lasting("out/kept")
    let refused = try shop.train("out/kept", words)
    #expect(refused.code == 1 && refused.err.contains("--overwrite"), "\(refused)")
    // A replacement that cannot begin must not cost the run that is there.
    let failures = [
      try shop.train("out/kept", model: "absent", words + ["--overwrite"]),
      try shop.train("out/kept", tasks: "absent", words + ["--overwrite"]),
      try shop.train("out/kept", words + ["--overwrite", "--shots", "40"]),
      try shop.train("out/kept", words + ["--overwrite", "--only", "inc"]),
    ]
    for failure in failures { #expect([64, 66].contains(failure.code), "\(failure)") }
    #expect(try shop.lasting("out/kept") == before)
    let replaced = try shop.train("out/kept", ["--seeds", "2", "--overwrite"])
    #expect(replaced.code == 0, "\(replaced)")
    #expect(try shop.record("out/kept").seeds == [2] && !shop.exists("out/kept/seed-1"))
  }

  @Test func aRunThatCannotBeginLeavesNothing() throws {
    for words in [
      ["--shots", "40"], ["--only", "nothing"], ["--context-length", "100"], ["--context-length", "21"],
      ["--device", "mps"],
    ] {
      let outcome = try shop.train("out/nothing", words)
      #expect([64, 66, 69].contains(outcome.code), "\(outcome)")
      #expect(!shop.exists("out/nothing"))
    }
  }

  @Test func filesAndForeignFoldersAreNotWrittenTo() throws {
    try Data("mine".utf8).write(to: shop.folder.appendingPathComponent("letter"))
    let file = try shop.train("letter")
    #expect(file.code == 1 && file.err.contains("found a file"))
    let below = try shop.train("letter/run")
    #expect(below.code == 1 && below.err.contains("cannot be made"), "\(below)")
    let system = try shop.train("/proc/run")
    #expect(system.code == 1 && system.err.contains("/proc/run"), "\(system)")
    for words in [[], ["--overwrite"]] {
      let foreign = try shop.train("world", words)
      #expect(foreign.code == 1 && foreign.err.contains("not empty"), "\(foreign)")
    }
    #expect(try shop.bytes("letter") == Data("mine".utf8))
    #expect(!shop.exists("world/experiment.json"))
  }

  /// A file system of its own, where the user may mount one.
  private func mount(_ name: String, size: String) throws -> Bool {
    let folder = shop.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    guard FileManager.default.isExecutableFile(atPath: "/bin/mount") else { return false }
    let outcome = try Program.run(
      ["-t", "tmpfs", "-o", "size=\(size)", "tmpfs", folder.path], in: shop.folder,
      program: URL(fileURLWithPath: "/bin/mount"))
    return outcome.code == 0
  }

  @Test func aFullDiskIsAnErrorAndNoHalfFileIsLeft() throws {
    let name = "out-full"
    guard try mount(name, size: "64k") else {
      try Test.cancel("a small file system cannot be mounted here")
    }
    defer {
      _ = try? Program.run(
        [shop.folder.appendingPathComponent(name).path], in: shop.folder, program: URL(fileURLWithPath: "/bin/umount"))
    }
    let outcome = try shop.train("\(name)/run", ["--seeds", "1,2,3"])
    #expect(outcome.code == 1 && !outcome.isSignal, "\(outcome)")
    #expect(outcome.err.contains("No space left") && outcome.err.contains("--resume"), "\(outcome)")
    let files = FileManager.default.enumerator(atPath: shop.folder.appendingPathComponent(name).path)
    for case let file as String in files ?? .init() { #expect(!file.hasSuffix(".partial")) }
    // What was written is whole.
    let seed = name + "/run/seed-1/result.json"
    if shop.exists(seed) { #expect(try JSONSerialization.jsonObject(with: shop.bytes(seed)) is [String: Any]) }
    #expect(!shop.exists(name + "/run/record.json"))
  }
}
