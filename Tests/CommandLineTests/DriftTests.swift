import BanyanFoundation
import BanyanTestSupport
import Foundation
import Testing

/// `banyan drift`, asked about what a service kept.
@Suite struct DriftTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  @Test func aTaskWhosePicturesHaveChangedIsNamed() throws {
    // Two new worlds: one as the run knows it, one in which chalk is drawn as another style.
    let same = try shop.smallWorld("drift-same", tasks: ["chalk", "ink"], perClass: 12, seed: 21)
    let other = try shop.smallWorld("drift-other", tasks: ["night"], perClass: 12, seed: 22)
    for (name, source) in [("same", same.picture(0, 0, 0)), ("moved", other.picture(0, 0, 0))] {
      let service = try RunningService(
        ["--run", "runs/hipro", "--traffic", "traffic-\(name).safetensors"], in: shop.folder)
      // What two services wrote into one file would be the later one's alone.
      let second = try shop.run(
        "serve", "--run", "runs/hipro", "--listen", "127.0.0.1:0", "--threads", "1", "--traffic",
        "traffic-\(name).safetensors")
      #expect(second.code == 1 && second.err.contains("another service keeps its traffic"), "\(second)")
      let folder = source.deletingLastPathComponent().deletingLastPathComponent()
      for (task, root) in [
        ("chalk", folder), ("ink", same.picture(1, 0, 0).deletingLastPathComponent().deletingLastPathComponent()),
      ] {
        for label in same.classes {
          for number in 0..<12 {
            let data = try Data(contentsOf: root.appending(path: "\(label)/\(100 + number).png"))
            #expect(try service.ask("POST", "/classify?task=\(task)", data).status == 200)
          }
        }
      }
      #expect(try service.stop().code == 0)
      let outcome = try shop.run(
        "drift", "--run", "runs/hipro", "--traffic", "traffic-\(name).safetensors", "--draws", "399", "-q")
      let chalk = outcome.out.split(separator: "\n").first { $0.contains("chalk") } ?? ""
      let ink = outcome.out.split(separator: "\n").first { $0.contains("ink") } ?? ""
      #expect(outcome.out.contains("too few pictures") && ink.contains("as it was"), "\(outcome)")
      #expect(
        chalk.contains(name == "moved" ? "MOVED" : "as it was") && outcome.code == (name == "moved" ? 3 : 0),
        "\(outcome)")
    }
    #expect(try shop.run("drift", "--run", "runs/hipro", "--traffic", "token-none").code == 66)
    // Where nobody asked for one task alone nothing is known, which is no "nothing has changed".
    let silent = try RunningService(
      ["--run", "runs/hipro", "--traffic", "new/traffic-none.safetensors"], in: shop.folder)
    for number in 0..<9 {
      let bytes = try Data(contentsOf: same.picture(0, 0, number))
      #expect(
        try silent.ask("POST", "/classify?task=chalk", number < 7 ? bytes : Data("no".utf8)).status
          == (number < 7 ? 200 : 422))
    }
    #expect(try silent.stop().code == 0)
    let unknown = try shop.run("drift", "--run", "runs/hipro", "--traffic", "new/traffic-none.safetensors", "-q")
    #expect(unknown.code == 66 && unknown.err.contains("nothing was compared"), "\(unknown)")
    // Pictures of no task that the run knows are no quiet "nothing has changed".
    let foreign = try shop.run("drift", "--run", "runs/hipro", "--pictures", "drift-other")
    #expect(foreign.code == 64 && foreign.err.contains("none of the run's tasks"), "\(foreign)")
    let strict = try shop.run("drift", "--run", "runs/hipro", "--pictures", "drift-same", "--level", "0.000001", "-q")
    #expect(strict.code == 64 && strict.err.contains("level"), "\(strict)")
  }

  @Test func aReferenceStandsForPicturesThatHaveMovedAndForNoOtherRun() throws {
    try shop.smallWorld("drift-own", tasks: ["chalk", "ink"], perClass: 14, seed: 23)
    let now = try shop.smallWorld("drift-now", tasks: ["ink"], perClass: 12, seed: 24)
    let trained = try shop.run(
      "train", "--model", Workshop.model, "--tasks", "drift-own", "--method", "zero-shot", "--shots", "2", "--seeds",
      "1",
      "--output", "runs/drift-own", "-q")
    #expect(trained.code == 0, "\(trained)")
    let words = [
      "drift", "--run", "runs/drift-own", "--pictures", "drift-now", "--draws", "199", "--format", "json", "-q",
      "--no-cache",
    ]
    func asked(_ more: String...) throws -> Program.Outcome { try Program.run(words + more, in: shop.folder) }
    let plain = try asked()
    let table = try JSONDecoder().decode(JSONValue.self, from: Data(plain.out.utf8))
    let rows = table["rows"]?.arrayValue ?? []
    #expect([0, 3].contains(plain.code) && rows.map { $0["task"]?.stringValue } == ["chalk", "ink"], "\(plain)")
    #expect(rows.last?["pictures"]?.intValue == 36 && rows.last?["pValue"]?.doubleValue != nil, "\(plain)")
    let kept = try asked("--reference", "drift-reference.safetensors")
    #expect(kept.out == plain.out && kept.code == plain.code && shop.exists("drift-reference.safetensors"), "\(kept)")
    // Pictures that nobody has named yet lie in one folder; one that lies in two is one, and other tasks are not looked at.
    for (folder, numbers) in [("ink/all", 0..<12), ("ink/more", 0..<3), ("other/all", 0..<1)] {
      let place = shop.folder.appending(path: "drift-unnamed/\(folder)")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for number in numbers {
        try FileManager.default.copyItem(at: now.picture(0, 0, number), to: place.appending(path: "\(number).png"))
      }
    }
    let unnamed = try shop.run(
      "drift", "--run", "runs/drift-own", "--pictures", "drift-unnamed", "--reference", "drift-reference.safetensors",
      "--draws", "199", "--format", "json", "-q", "--no-cache")
    let found = try JSONDecoder().decode(JSONValue.self, from: Data(unnamed.out.utf8))["rows"]?.arrayValue?.last
    #expect([0, 3].contains(unnamed.code) && found?["pictures"]?.intValue == 12, "\(unnamed)")
    // A service does not write its traffic over it, and it is no traffic either.
    let reference = try shop.bytes("drift-reference.safetensors")
    let taken = try shop.run(
      "serve", "--run", "runs/drift-own", "--listen", "127.0.0.1:0", "--threads", "1", "--traffic",
      "drift-reference.safetensors")
    #expect(taken.code == 64 && taken.err.contains("is a reference file"), "\(taken)")
    let asTraffic = try shop.run("drift", "--run", "runs/drift-own", "--traffic", "drift-reference.safetensors")
    #expect(asTraffic.code == 64 && asTraffic.err.contains("is a reference file"), "\(asTraffic)")
    #expect(try shop.bytes("drift-reference.safetensors") == reference)
    // The run's pictures go elsewhere.
    try FileManager.default.moveItem(
      at: shop.folder.appending(path: "drift-own"), to: shop.folder.appending(path: "drift-moved"))
    let gone = try asked()
    #expect([65, 66].contains(gone.code) && gone.out.isEmpty, "\(gone)")
    let read = try asked("--reference", "drift-reference.safetensors")
    #expect(read.out == plain.out && read.code == plain.code, "\(read)")
    let told = try asked("--tasks", "drift-moved")
    #expect(told.out == plain.out && told.code == plain.code, "\(told)")
    let both = try asked("--reference", "drift-reference.safetensors", "--tasks", "drift-moved")
    #expect(both.code == 64 && both.err.contains("--tasks"), "\(both)")
    let other = try shop.run(
      "drift", "--run", "runs/hipro", "--pictures", "drift-now", "--reference", "drift-reference.safetensors")
    #expect(other.code == 64 && other.err.contains("other prompts"), "\(other)")
    // Nor is what a service kept of one run another run's.
    let service = try RunningService(
      ["--run", "runs/drift-own", "--traffic", "traffic-own.safetensors"], in: shop.folder)
    for number in 0..<8 {
      #expect(try service.ask("POST", "/classify?task=ink", Data(contentsOf: now.picture(0, 0, number))).status == 200)
    }
    #expect(try service.stop().code == 0)
    let swapped = try shop.run(
      "drift", "--run", "runs/drift-own", "--pictures", "drift-now", "--reference", "traffic-own.safetensors")
    #expect(swapped.code == 64 && swapped.err.contains("is a traffic file"), "\(swapped)")
    let foreign = try shop.run("drift", "--run", "runs/hipro", "--traffic", "traffic-own.safetensors")
    #expect(foreign.code == 64 && foreign.err.contains("other prompts"), "\(foreign)")
  }
}
