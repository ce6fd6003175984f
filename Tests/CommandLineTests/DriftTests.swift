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
    // Pictures of no task that the run knows are no quiet "nothing has changed".
    let foreign = try shop.run("drift", "--run", "runs/hipro", "--pictures", "drift-other")
    #expect(foreign.code == 64 && foreign.err.contains("none of the run's tasks"), "\(foreign)")
    let strict = try shop.run("drift", "--run", "runs/hipro", "--pictures", "drift-same", "--level", "0.000001", "-q")
    #expect(strict.code == 64 && strict.err.contains("level"), "\(strict)")
  }
}
