import BanyanReports
import BanyanTasks
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// The whole way on real photographs and a real checkpoint, where they lie beside the checkout.
@Suite(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
struct SharedDataTests {
  /// What the checkpoint's makers measured with transformers: zero-shot top-1 in percent on all pictures of a task.
  private static let published = ["photo": 26.0, "art_painting": 16, "cartoon": 16, "sketch": 15]

  @Test func zeroShotOnPhotographsGivesThePublishedNumbers() throws {
    let output = FileManager.default.temporaryDirectory.appending(path: "banyan-shared-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: output) }
    var experiment = Experiment()
    experiment.model = SharedData.folder.appending(path: "mini-clip").path
    experiment.tasks = SharedData.folder.appending(path: "pacs").path
    experiment.method = "zero-shot"
    experiment.samples = .shots(1)
    experiment.validationShots = 0
    experiment.seeds = [1]
    experiment.threads = 1
    let record = try ExperimentRun(experiment, output: output, cache: nil).run()
    #expect(Set(record.tasks.keys) == Set(Self.published.keys))
    for (task, percent) in Self.published {
      let found = 100 * (record.tasks[task]?.top1 ?? 0)
      // Rounded to whole percents there, and seven of 490 pictures are training pictures here.
      #expect(abs(found - percent) < 1.2, "\(task): \(found)")
    }
  }
}
