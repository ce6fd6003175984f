import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// Image prompts and coupled prompts through the method and the optimizer that the program uses, against plain PyTorch.
@Suite(.everyWay) struct CoupledPromptGoldenTests {
  /// A golden and the method that should give its numbers.
  struct Case: Sendable, CustomTestStringConvertible {
    let golden: String
    let method: String
    let options: String
    /// How many gradients the golden holds.
    let gradients: Int
    var testDescription: String { golden }
  }

  private static let templates = #""templates": ["a photo of a {}.", "a drawing of the {} in a house."]"#
  static let cases = [
    Case(golden: "vpt", method: "vpt", options: #"{"length": 2, \#(templates)}"#, gradients: 9),
    Case(golden: "vpt-shallow", method: "vpt", options: #"{"length": 2, "deep": false, \#(templates)}"#, gradients: 3),
    Case(golden: "vpt-mt", method: "vpt-mt", options: #"{"length": 2, \#(templates)}"#, gradients: 3),
    Case(golden: "maple", method: "maple", options: #"{"depth": 2}"#, gradients: 14),
    Case(golden: "maple-mt", method: "maple-mt", options: #"{"depth": 2}"#, gradients: 6),
    Case(
      golden: "upt", method: "mvlpt",
      options: #"{"length": 2, "depth": 2, "width": 16, "target": "all", "source": {"steps": 0}}"#,
      gradients: 17),
  ]

  private func method(_ each: Case, budget: Int = 1 << 30) throws -> any PromptMethod {
    let document = try Golden.json("methods/coupled")
    let tasks = try #require(document["tasks"]?.arrayValue).map { task in
      PromptTask(
        name: task["name"]?.stringValue ?? "",
        classNames: task["classNames"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
    let options = try JSONDocument.decode(from: Data(each.options.utf8), subject: "test") as JSONValue
    return try MethodCatalog.entry(each.method).make(options, TinyCLIP().context(tasks, budget: budget))
  }

  /// The golden's starts under the method's own paths.
  private func start(_ method: any PromptMethod, _ golden: Golden) throws -> ParameterTree {
    try method.initialParameters(seed: 1).mapTensors { path, drawn in
      // `shared.<rest>` or `tasks.<index>.<rest>`; the golden has one start for all copies, or one for each.
      let parts = path.split(separator: ".", maxSplits: path.hasPrefix("tasks.") ? 2 : 1).map(String.init)
      let apart = "start.\(parts[1]).\(parts[parts.count - 1])"
      let given = try golden(golden.contains(apart) ? apart : "start.\(parts[parts.count - 1])")
      #expect(given.shape == drawn.shape, "\(path)")
      return given
    }
  }

  private func batches() throws -> [TaskBatch] {
    let (golden, clip) = (try Golden("methods/coupled-pictures"), try TinyCLIP())
    return try (0..<3).map { task in
      let pixels = try (golden("pixels.\(task)").to(.float32) + -128) * (1 / 64)
      return TaskBatch(
        task: task, features: try clip.model.image.features(pixels).normalized(), labels: try golden("labels.\(task)"),
        pictures: .init(PixelTensor(pixels), rows: Array(0..<pixels.extent(0))))
    }
  }

  @Test(arguments: cases, [1 << 30, 100_000])
  func `losses and gradients equal PyTorch's, whole and in parts`(_ each: Case, budget: Int) throws {
    let golden = try Golden("methods/\(each.golden)")
    let method = try method(each, budget: budget)
    let parameters = try start(method, golden).mapTensors { try $1.asParameter() }
    let batches = try batches()
    let outcome = try method.step(parameters, batches)
    let expected = try golden("curve").select(0, 0).doubles()
    try agree(outcome.objectives, expected, "losses", within: .at(.tower))
    try agree(method.objectives(parameters, batches), expected, "losses", within: .at(.tower))
    #expect(outcome.gradients.paths == parameters.paths)
    var compared = 0
    for path in outcome.gradients.paths where golden.contains("gradient.\(path)") {
      let gradient = try golden("gradient.\(path)")
      try agree(outcome.gradients.require(path), gradient, "gradient.\(path)", within: .at(.gradient))
      compared += 1
    }
    #expect(compared == each.gradients)
  }

  @Test(arguments: cases)
  func `ten steps equal PyTorch's`(_ each: Case) throws {
    let golden = try Golden("methods/\(each.golden)")
    let method = try method(each)
    let batches = try batches()
    let run = try descend(method, from: start(method, golden), batches: batches, steps: 10)
    let curve = try golden("curve")
    try agree(run.objectives.flatMap { $0 }, curve.doubles(), "curve", within: .at(.training))
    #expect(run.objectives[9].reduce(0, +) < run.objectives[0].reduce(0, +))
    try Engine.withoutGradients {
      let classifiers = try method.classifiers(run.parameters)
      for batch in batches {
        let logits = try method.logits(run.parameters, batch, classifiers[batch.task].weights())
        try agree(logits, golden("logits.\(batch.task)"), "logits.\(batch.task)", within: .at(.training))
      }
    }
  }
}
