import BanyanReports
import Foundation
import Testing

/// The example of a method of one's own, built and run as it stands.
@Suite struct OwnMethodTests {
  @Test func aMethodOutsideTheCatalogueTrainsAsTheOthersDo() throws {
    let shop = try Workshop.open()
    let program = Program.url.deletingLastPathComponent().appendingPathComponent("WriteYourOwnMethod")
    let tasks = shop.folder.appendingPathComponent("world").path
    let output = shop.folder.appendingPathComponent("own-method").path
    let outcome = try Program.start([tasks, output], in: shop.folder, program: program).finish()
    #expect(outcome.code == 0, "\(outcome)")
    let record = try shop.record("own-method")
    #expect(record.method == "feature-shift" && record.trainableParameters == 3 * 128)
    for (name, task) in record.runs[0].tasks {
      #expect(outcome.out.contains(name))
      #expect((task.finalLoss ?? .infinity) < (task.initialLoss ?? 0), "\(name)")
    }
  }

  @Test func theExampleIsShort() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Examples/WriteYourOwnMethod/FeatureShift.swift")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 60)
  }
}
