import BanyanFoundation
import BanyanPrompts
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// Every protocol in `Experiments/` is one that `banyan experiment` takes.
@Suite struct SweepFilesTests {
  private static let folder = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .resolvingSymlinksInPath().appending(path: "Experiments")

  /// The files with runs, as paths below the folder.
  private static let files: [String] = {
    let groups = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return groups.flatMap { group -> [String] in
      // One of the folders is a link, which a plain listing does not enter.
      let place = folder.appending(path: group).resolvingSymlinksInPath()
      return ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).map { "\(group)/\($0)" }
    }
    .filter { path in
      path.hasSuffix(".json")
        && (try? JSONDocument.read(JSONValue.self, from: folder.appending(path: path)))?["runs"] != nil
    }.sorted()
  }()

  @Test func theProtocolsOfThePapersAreThere() {
    let expected = [
      "demo/all-methods.json", "demo/trees.json", "mini-domain-net/1-percent.json", "mini-domain-net/2-percent.json",
      "office-home/10-percent.json", "office-home/20-percent.json", "office-home/ablation-grouping.json",
      "office-home/ablation-prompt.json", "office-home/k-shot.json", "office-home/mrn.json", "pacs/all-methods.json",
      "pacs/trees.json",
      "ten-tasks/16-shots.json",
    ]
    #expect(Set(expected).isSubset(of: Self.files), "\(Self.files)")
  }

  @Test(arguments: files) func itsRunsAreSound(path: String) throws {
    let file = Self.folder.appending(path: path)
    let sweep = try Sweep(contentsOf: file)
    #expect(!sweep.title.isEmpty && sweep.command == "banyan experiment Experiments/\(path)")
    let isDrawn = sweep.base["tasks"]?.objectValue != nil
    #expect(isDrawn || sweep.data?.contains("--tasks") == true, "says nowhere which data it wants")
    let known = Set(MethodCatalog.entries.map(\.descriptor.name))
    let methods = Set(sweep.runs.map { ($0["method"] ?? sweep.base["method"])?.stringValue ?? "" })
    #expect(methods.isSubset(of: known))
    if path.hasSuffix("all-methods.json") { #expect(methods == known) }
    let plan = try SweepPlan(sweep, file: file, output: URL(fileURLWithPath: "/runs"))
    #expect(plan.runs.count == sweep.runs.count * max(1, sweep.samples.count))
    #expect((plan.world != nil) == isDrawn)
  }
}
