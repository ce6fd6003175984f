import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

/// What `GET /runs` says about who shares which prompts.
@Suite struct SharingTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  @Test func groupsAreToldInTheTasksOwnOrder() throws {
    // The lists name the tasks in another order than the run has them in.
    try Data(#"[["watercolour", "chalk"], ["ink"]]"#.utf8).write(to: shop.folder.appending(path: "serve-groups.json"))
    let trained = try shop.run(
      "train", "--model", Workshop.model, "--tasks", "world", "--method", "mmap", "--shots", "1", "--seeds", "1",
      "--epochs", "1", "--threads", "1", "--groups", "serve-groups.json", "--output", "runs/serve-groups")
    #expect(trained.code == 0, "\(trained)")
    let service = try RunningService(["--run", "runs/serve-groups"], in: shop.folder)
    let run = try service.ask("GET", "/runs").json?["runs"]?.arrayValue?.first
    let shared = (run?["tasks"]?.arrayValue ?? []).map { task in
      "\(task["name"]?.stringValue ?? ""): "
        + (task["prompts"]?.arrayValue?.first?["tasks"]?.arrayValue ?? []).compactMap(\.stringValue).joined(
          separator: " ")
    }
    #expect(shared == ["chalk: chalk watercolour", "ink: ink", "watercolour: chalk watercolour"], "\(shared)")
  }

  @Test func aCircleInTheTreeOfARecordHoldsNothingUp() throws {
    let run = shop.folder.appending(path: "runs/circle")
    try FileManager.default.copyItem(at: shop.folder.appending(path: "runs/hipro"), to: run)
    var record = try shop.record("runs/circle")
    // The root becomes a child of a leaf.
    for seed in record.runs.indices {
      var tree = try #require(record.runs[seed].tree)
      tree.nodes[0].children = [tree.nodes.count - 1]
      tree.nodes[0].shared = record.taskNames
      record.runs[seed].tree = tree
    }
    try record.write(run)
    let service = try RunningService(["--run", "runs/circle"], in: shop.folder)
    let answer = try service.ask("GET", "/runs")
    #expect(answer.status == 200 && answer.json?["runs"]?.arrayValue?.count == 1, "\(answer)")
    #expect(try service.ask("POST", "/classify", Data(contentsOf: shop.world.picture(1, 2, 0))).status == 200)
  }
}
