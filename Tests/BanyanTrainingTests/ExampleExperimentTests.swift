import BanyanFoundation
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// Every file in `Experiments/` is one that `banyan train --config` takes.
@Suite struct ExampleExperimentTests {
  private static let folder = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .resolvingSymlinksInPath().appending(path: "Experiments")

  private static let files = ((try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".json") }.sorted()

  @Test func thereAreSome() { #expect(Self.files.count > 16) }

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
