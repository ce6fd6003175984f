import BanyanFoundation
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// Every file in `Experiments/` is one that `banyan train --config` takes.
@Suite struct ExampleExperimentTests {
  private static let folder = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .resolvingSymlinksInPath().appending(path: "Experiments")

  // One of the folders is a link, which a plain listing does not enter.
  private static let files = ["demo", "digits", "pacs"].flatMap { name in
    let place = folder.appending(path: name).resolvingSymlinksInPath().path
    return ((try? FileManager.default.subpathsOfDirectory(atPath: place)) ?? []).map { "\(name)/\($0)" }
  }
  // Files with runs are protocols, which `SweepFilesTests` reads.
  .filter { $0.hasSuffix(".json") }.filter { path in
    (try? JSONDocument.read(JSONValue.self, from: folder.appending(path: path)))?["runs"] == nil
  }.sorted()

  @Test func thereAreSome() throws {
    #expect(Self.files.count > 16)
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { !$0.hasPrefix(".") }
    #expect(names.sorted() == ["demo", "digits", "mini-domain-net", "office-home", "pacs", "ten-tasks"])
  }

  @Test(arguments: files) func itsKeysAndValuesAreAccepted(name: String) throws {
    let overlay: JSONValue = try JSONDocument.read(from: Self.folder.appending(path: name))
    var experiment = try Experiment(overlay, subject: name)
    if experiment.model.isEmpty { experiment.model = "model" }
    if experiment.tasks.isEmpty { experiment.tasks = "tasks" }
    try experiment.validate()
    // A file holds only what differs from the defaults.
    let differences = try #require(try experiment.differences().objectValue)
    for key in try #require(overlay.objectValue).keys {
      #expect(differences[key] != nil || key == "method", "\(name): \(key) is the default")
    }
  }
}
