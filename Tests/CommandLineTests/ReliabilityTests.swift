import BanyanCLIP
import Foundation
import Testing

/// The quick form of `make reliability`: few kills, few places, few inputs of each fuzzed reader.
@Suite struct ReliabilityTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private func script(_ name: String, _ words: [String]) throws -> Program.Outcome {
    let python = ProcessInfo.processInfo.environment["BANYAN_CHECKS_PYTHON"] ?? "/usr/bin/python3"
    return try Program.run(
      [Self.root.appending(path: "Tools/reliability/\(name)").path, "--banyan", Program.url.path] + words,
      in: shop.folder, environment: ["PYTHONDONTWRITEBYTECODE": "1"], program: URL(fileURLWithPath: python))
  }

  @Test func killedAtRandomMomentsEverythingEndsEqual() throws {
    let outcome = try script("kills.py", ["--kills", "8", "--short", "--place", "reliability/kills"])
    #expect(outcome.code == 0, "\(outcome)")
    for kind in ["\ntraining ", "\nsweep ", "\npre-training ", "\ncaching "] {
      #expect(("\n" + outcome.out).contains(kind), "\(outcome)")
    }
  }

  @Test func closedPlacesAreToldAndProcessesShareACache() throws {
    let outcome = try script(
      "places.py", ["--only", "read-only folder,two processes", "--place", "reliability/places"])
    #expect(outcome.code == 0 && outcome.out.contains("6 trainings on one cache"), "\(outcome)")
    // Nothing was tried of what a machine does not allow.
    if !outcome.out.contains("10 checks") {
      Issue.record("no read-only file system can be mounted here: \(outcome.out)", severity: .warning)
    }
  }

  @Test(arguments: ["safetensors", "json", "tokenizer", "picture", "http"])
  func bytesThatNobodyWouldWriteAreRefusedOrUnderstood(_ reader: String) throws {
    let program = Program.url.deletingLastPathComponent().appending(path: "banyan-fuzz")
    var folders = ["Fuzzing/corpus/\(reader)"]
    if reader == "picture" { folders.append("Tests/Goldens/image") }
    let outcome = try Program.run(
      [reader, "-runs=3000", "-seed=7"] + folders.map { Self.root.appending(path: $0).path }, in: shop.folder,
      program: program)
    #expect(outcome.code == 0 && outcome.out.contains("3000 changed copies"), "\(outcome)")
  }
}
