import BanyanFoundation
import BanyanReports
import BanyanTasks
import BanyanTraining
import Foundation
import Testing

/// How a file becomes a plan, and what it refuses, before anything runs.
@Suite struct SweepPlanTests {
  private static let file = URL(fileURLWithPath: "/protocols/two.json")
  private static let output = URL(fileURLWithPath: "/runs/two")

  private func sweep(_ text: String) throws -> Sweep {
    try Sweep(JSONDocument.decode(JSONValue.self, from: Data(text.utf8), subject: "two.json"), subject: "two.json")
  }

  private func plan(
    _ text: String, only: [String] = [], overlays: [(subject: String, overlay: JSONValue)] = []
  ) throws -> SweepPlan {
    try SweepPlan(sweep(text), file: Self.file, output: Self.output, only: only, overlays: overlays)
  }

  private static let whole = """
    {"title": "t", "expected": {"coop": {"1 shot": 60, "2.5%": "61.5 ± 2"}, "long": 7},
     "base": {"model": "m", "tasks": "/t", "seeds": [4], "training": {"epochs": 5, "batchSize": 16}},
     "samples": ["1 shot", "2.5%"],
     "runs": [{"method": "coop", "training": {"epochs": 7}}, {"name": "long", "method": "coop", "seeds": [1, 2]}]}
    """

  @Test func thePlanIsSamplesTimesRunsAndLaterSettingsWin() throws {
    let runs = try plan(Self.whole).runs
    #expect(
      runs.map(\.folder.path) == [
        "/runs/two/1-shot/coop", "/runs/two/1-shot/long", "/runs/two/2.5-percent/coop", "/runs/two/2.5-percent/long",
      ])
    #expect(runs.map(\.experiment.samples) == [.shots(1), .shots(1), .percentage(2.5), .percentage(2.5)])
    #expect(runs.map(\.experiment.training.epochs) == [7, 5, 7, 5])
    #expect(runs.map(\.experiment.training.batchSize) == [16, 16, 16, 16])
    #expect(runs.map(\.experiment.seeds) == [[4], [1, 2], [4], [1, 2]])
    #expect(runs.map(\.expected) == ["60.0", "7.0", "61.5 ± 2", "7.0"])
    #expect(runs[0].experiment.model.hasPrefix("/") && runs[0].experiment.model.hasSuffix("/m"))
    let words: [(subject: String, overlay: JSONValue)] = [
      ("--seeds", .object(["seeds": .array([.integer(9)])])), ("--set", .object(["samples": .string("all")])),
    ]
    let fewer = try plan(Self.whole, only: ["long"], overlays: words).runs
    #expect(fewer.map(\.folder.path) == ["/runs/two/all/long"] && fewer[0].experiment.seeds == [9])
  }

  @Test func everyProblemIsListedAtOnceWithItsRun() throws {
    let error = #expect(throws: BanyanError.self) {
      try plan(
        """
        {"base": {"model": "m", "tasks": "t"}, "samples": ["1 shot", "2 shots"],
         "runs": [{"method": "copo"}, {"name": "b", "method": "coop", "trainng": {}}, {"method": "zero-shot"},
                  {"name": "c", "method": "coop", "options": {"context": {"lenght": 3}}}]}
        """)
    }
    let text = try #require(error?.message)
    #expect(error?.kind == .usage)
    for words in ["copo: ", "Did you mean coop", "b: ", "Did you mean training", "c: ", "Did you mean length"] {
      #expect(text.contains(words), "\(words) in \(text)")
    }
    // Two amounts of samples do not say it twice, and what is right is not named.
    #expect(text.split(separator: "\n").count == 4 && !text.contains("zero-shot:"), "\(text)")
  }

  @Test(arguments: [
    (#"{"run": []}"#, "Did you mean runs"), (#"{"runs": []}"#, "there are no runs"),
    (#"{"base": 3, "runs": [{}]}"#, "expected an object"), (#"{"runs": [3]}"#, "runs[0]"),
    (#"{"runs": [{"name": "../x", "method": "coop"}]}"#, "expected a name"),
    (#"{"runs": [{"name": ".x", "method": "coop"}]}"#, "expected a name"),
    (#"{"runs": [{"name": "a/b", "method": "coop"}]}"#, "expected a name"),
    (#"{"runs": [{}]}"#, "expected a name"),
    (#"{"runs": [{"method": "coop"}, {"name": "CoOp", "method": "coop"}]}"#, "two runs are called"),
    (#"{"samples": ["2 shots", 2], "runs": [{"method": "coop"}]}"#, "given twice"),
    (#"{"samples": ["few"], "runs": [{"method": "coop"}]}"#, "samples"),
    (#"{"samples": [2], "runs": [{"method": "coop", "samples": 3}]}"#, "an axis of samples"),
    (#"{"expected": {"copo": 3}, "runs": [{"method": "coop"}]}"#, "Did you mean coop"),
    (#"{"expected": {"coop": {"3 shots": 3}}, "samples": [2], "runs": [{"method": "coop"}]}"#, "2 shots"),
    (#"{"expected": {"coop": [3]}, "runs": [{"method": "coop"}]}"#, "a number or a text"),
    (#"{"base": {"tasks": {"wrld": {}}}, "runs": [{"method": "coop"}]}"#, "expected a path or a world"),
    (#"{"base": {"tasks": {"world": {"sed": 3}}}, "runs": [{"method": "coop"}]}"#, "Did you mean seed"),
    (#"{"base": {"modl": "m"}, "runs": [{"method": "coop"}]}"#, "Did you mean model"),
    (#"{"runs": [{"method": "coop", "file": "absent.json"}]}"#, "no such file"),
  ])
  func whatIsWrongIsNamed(_ text: String, _ words: String) throws {
    let error = #expect(throws: BanyanError.self, "\(text)") { try plan(text) }
    let found = error.map { "\($0)" } ?? ""
    #expect(error?.kind == .usage && found.contains(words), "\(text): \(found)")
  }

  @Test func anUnknownNameOfOnlyIsNamed() throws {
    let error = #expect(throws: BanyanError.self) { try plan(Self.whole, only: ["coop", "lnog"]) }
    #expect(error?.remedy == "Did you mean long?")
  }

  @Test func aWorldHasItsOwnFolderAndGivesWayToTasks() throws {
    let text = """
      {"base": {"model": "embedded", "tasks": {"world": {"preset": "families", "seed": 3, "pictures": 5}}},
       "runs": [{"method": "zero-shot"}]}
      """
    let drawn = try plan(text)
    #expect(drawn.world?.folder.path == "/runs/two/world/families-3-5" && drawn.world?.description.seed == 3)
    #expect(drawn.runs[0].experiment.tasks == "/runs/two/world/families-3-5")
    #expect(try drawn.missingInputs(of: drawn.runs) == [])
    let given = try plan(text, overlays: [("--tasks", .object(["tasks": .string("/absent/tasks")]))])
    #expect(given.world == nil)
    #expect(try given.missingInputs(of: given.runs) == ["/absent/tasks"])
  }

  @Test func theTimeOfAnEarlierRunIsScaledToTheNewOne() throws {
    var earlier = Experiment()
    (earlier.model, earlier.tasks, earlier.method, earlier.seeds) = ("m", "t", "coop", [1])
    earlier.samples = .shots(2)
    earlier.training.epochs = 10
    let record = RunRecord(
      banyan: "1", engine: "1", createdAt: "", command: [], method: "coop", methodTitle: "CoOp",
      experiment: try earlier.resolved(), model: ModelSummary(path: "m", sha256: "", parameters: 1, description: ""),
      device: "cpu", threads: 1, trainableParameters: 1, runs: [],
      measured: Measured(wallSeconds: [
        "data": 1, "features": 2, "affinity": 3, "evaluation": 4, "training": 10, "total": 20,
      ]))
    let estimator = SweepEstimator.records([record]).or(SweepEstimator { $0.method == "hipro" ? 5 : nil })
    var next = earlier
    next.seeds = [1, 2, 3]
    next.samples = .shots(4)
    next.training.epochs = 5
    // Data and features (1 + 2) once, affinity and evaluation (3 + 4) three times, training (10) for 3 · 2 · ½ as many
    // pictures.
    #expect(try estimator.seconds(next) == 54)
    next.samples = .percentage(5)
    #expect(try estimator.seconds(next) == nil)
    next.method = "hipro"
    #expect(try estimator.seconds(next) == 5)
  }
}
