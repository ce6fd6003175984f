import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// Prompts in both towers for groups of tasks, against plain PyTorch.
@Suite(.everyWay) struct GroupedGoldenTests {
  private static let cases: [(method: String, golden: String, options: String)] = [
    ("mmap", "mmap", #"{"length": 2, "sourceRows": 2, "sourceColumns": 8}"#),
    ("mmap", "mmap-shared", #"{"length": 2, "sourceRows": 2, "sourceColumns": 8, "sharesSource": true}"#),
    ("joint-prompts", "joint", #"{"length": 2}"#),
    ("mlp-prompts", "mlp", #"{"length": 2, "sourceWidth": 8}"#),
  ]

  private func method(_ name: String, _ options: String, budget: Int = 1 << 30) throws -> any PromptMethod {
    let document = try Golden.json("methods/grouped")
    let tasks = try #require(document["tasks"]?.arrayValue).map { task in
      PromptTask(
        name: task["name"]?.stringValue ?? "",
        classNames: task["classNames"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
    let lists = try #require(document["groups"]?.arrayValue).map { $0.arrayValue?.compactMap(\.stringValue) ?? [] }
    let context = try TinyCLIP().context(
      tasks, groups: TaskGroups(reading: lists, names: tasks.map(\.name)), budget: budget)
    let settings: JSONValue = try JSONDocument.decode(from: .init(options.utf8), subject: "options")
    return try MethodCatalog.entry(name).make(settings, context)
  }

  private func batches() throws -> [TaskBatch] {
    let golden = try Golden("methods/grouped-pictures")
    return try (0..<3).map { task in
      let pixels = try golden("pixels.\(task)")
      // Features of the frozen tower must not matter here.
      return TaskBatch(
        task: task, features: try .zeros([pixels.extent(0), 24]), labels: try golden("labels.\(task)"),
        pictures: .init(PixelTensor(pixels), rows: Array(0..<pixels.extent(0))))
    }
  }

  private func start(_ method: any PromptMethod, _ golden: Golden) throws -> ParameterTree {
    let initial = try method.initialParameters(seed: 1)
    return try initial.mapTensors { path, tensor in
      let given = try golden("start.\(path)")
      #expect(given.shape == tensor.shape, "\(path)")
      return given
    }
  }

  @Test(arguments: cases, [1 << 30, 1])
  func `losses and named gradients equal PyTorch's, at once and picture by picture`(
    _ this: (method: String, golden: String, options: String), budget: Int
  ) throws {
    let golden = try Golden("methods/\(this.golden)")
    let method = try method(this.method, this.options, budget: budget)
    let parameters = try start(method, golden).mapTensors { try $1.asParameter() }
    let outcome = try method.step(parameters, batches())
    try agree(outcome.objectives, golden("losses").doubles(), "losses", within: .at(.tower))
    #expect(outcome.gradients.paths == parameters.paths)
    for path in parameters.paths {
      try agree(outcome.gradients.require(path), golden("gradient.\(path)"), path, within: .at(.gradient))
    }
  }

  @Test(arguments: cases)
  func `ten steps and the logits after them equal PyTorch's`(
    _ this: (method: String, golden: String, options: String)
  ) throws {
    let golden = try Golden("methods/\(this.golden)")
    let method = try method(this.method, this.options)
    let batches = try batches()
    let run = try descend(method, from: start(method, golden), batches: batches, steps: 10)
    try agree(run.objectives.flatMap(\.self), golden("curve").doubles(), "curve", within: .at(.training))
    let classifiers = try method.classifiers(run.parameters)
    for task in 0..<3 {
      let logits = try Engine.withoutGradients {
        try method.logits(run.parameters, batches[task], classifiers[task].weights())
      }
      try agree(logits, golden("logits.\(task)"), "logits.\(task)", within: .at(.training))
    }
  }

  @Test func `a task's gradient touches its group's prompts and its own, and nobody else's`() throws {
    let golden = try Golden("methods/mmap")
    let method = try method("mmap", Self.cases[0].options)
    let parameters = try start(method, golden).mapTensors { try $1.asParameter() }
    for (task, outcome) in try method.taskGradients(parameters, batches()).enumerated() {
      for path in parameters.paths {
        let touched = try outcome.gradients.require(path).abs().sum().item() > 0
        let own = path.hasPrefix("tasks.\(task).") || (path.hasPrefix("groups.0.") && task < 2)
        #expect(touched == own, "\(path) by task \(task)")
      }
    }
  }

  @Test func `sources that cannot tile the prompts are refused with those that can`() throws {
    let rows = #expect(throws: BanyanError.self) { try method("mmap", #"{"length": 6, "sourceRows": 4}"#) }
    #expect(rows?.kind == .usage && rows?.remedy.contains("1, 2, 3, 6") == true)
    let columns = #expect(throws: BanyanError.self) { try method("mmap", #"{"sourceColumns": 3}"#) }
    #expect(columns?.subject == "sourceColumns" && columns?.remedy.contains("1, 2, 4, 8, 16") == true)
  }

  @Test func `prompts start at the scale of the towers' tokens`() throws {
    let method = try method("mmap", "{}")
    let unit = try method.initialParameters(seed: 3)
    let clip = try TinyCLIP()
    let source = try unit.require("tasks.0.source.0").squared().mean().item().squareRoot()
    for (tower, scale) in [("text", try clip.model.text.tokenScale()), ("image", try clip.model.image.tokenScale())] {
      let scaling = try unit.require("tasks.0.\(tower).0").doubles()
      #expect(Set(scaling).count == 1)
      // The source is a draw: its own deviation is 0.02 within a third.
      #expect(abs(scaling[0] * source / scale - 1) < 0.34, "\(tower)")
    }
  }
}
