import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// Methods that change the backbone, against plain PyTorch.
@Suite(.everyWay) struct BackboneGoldenTests {
  private let clip: TinyCLIP
  private let settings: JSONValue
  private let batches: [TaskBatch]

  init() throws {
    clip = try TinyCLIP()
    settings = try Golden.json("methods/backbone")
    let pictures = try Golden("methods/backbone-pictures")
    batches = try (0..<3).map { [clip] task in
      let pixels = try pictures("pixels.\(task)").to(.float32).affine(shift: -128).affine(scale: 1.0 / 64)
      let features = try Engine.withoutGradients { try clip.model.image.features(pixels).normalized() }
      return TaskBatch(
        task: task, features: features, labels: try pictures("labels.\(task)"),
        pictures: .init(PixelTensor(pixels), rows: Array(0..<pixels.extent(0))))
    }
  }

  private func method(_ name: String, _ options: String = "{}", budget: Int = 1 << 30) throws -> any PromptMethod {
    let tasks = try #require(settings["tasks"]?.arrayValue).map { task in
      PromptTask(
        name: task["name"]?.stringValue ?? "",
        classNames: task["classNames"]?.arrayValue?.compactMap(\.stringValue) ?? [],
        templates: settings["templates"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
    let options: JSONValue = try JSONDocument.decode(from: Data(options.utf8), subject: "options")
    return try MethodCatalog.entry(name).make(options, clip.context(tasks, budget: budget))
  }

  /// The starting parameters: the backbone's weights, or the golden's under whatever unit they belong to.
  private func start(_ method: any PromptMethod, _ golden: Golden) throws -> ParameterTree {
    try method.initialParameters(seed: 1).mapTensors { path, tensor in
      let relative = path.split(separator: ".").dropFirst(path.hasPrefix("tasks.") ? 2 : 1).joined(separator: ".")
      return golden.contains("start.\(relative)") ? try golden("start.\(relative)") : tensor
    }
  }

  private func gradients(_ method: any PromptMethod, _ golden: Golden) throws -> StepOutcome {
    try method.step(start(method, golden).mapTensors { try $1.asParameter() }, batches)
  }

  @Test(arguments: [
    ("fine-tuning-mt", "fine-tuning-mt", "{}", "shared"), ("fine-tuning", "fine-tuning", "{}", "tasks"),
    ("bitfit", "bitfit", "{}", "both"), ("bitfit", "bitfit", #"{"towers": "image"}"#, "image"),
    ("bitfit", "bitfit", #"{"towers": "text"}"#, "text"), ("bitfit", "bitfit", #"{"shared": false}"#, "tasks"),
    ("lora", "lora", "{}", "tasks"), ("lora", "lora", #"{"shared": true}"#, "shared"),
  ])
  func `ten steps and the logits after them equal PyTorch's`(
    _ name: String, _ file: String, _ options: String, _ prefix: String
  ) throws {
    let golden = try Golden("methods/\(file)")
    let method = try method(name, options)
    let rate = try #require(settings[path: "rates"]?[name == "fine-tuning-mt" ? "fine-tuning" : name]?.doubleValue)
    let run = try descend(method, from: start(method, golden), batches: batches, rate: rate, steps: 10)
    let curve = try golden("\(prefix).losses").doubles()
    try agree(run.objectives[0], Array(curve[..<3]), "losses of the first step", within: .at(.tower))
    try agree(run.objectives.flatMap(\.self), curve, "losses", within: .at(.training))
    #expect(curve[27...].reduce(0, +) < 0.9 * curve[..<3].reduce(0, +), "the golden's curve does not fall")
    let classifiers = try method.classifiers(run.parameters)
    for task in 0..<3 {
      let logits = try Engine.withoutGradients {
        try method.logits(run.parameters, batches[task], classifiers[task].weights())
      }
      try agree(logits, golden("\(prefix).logits.\(task)"), "logits.\(task)", within: .at(.training))
    }
  }

  @Test(arguments: ["bitfit", "lora"], [1 << 30, 1])
  func `every named gradient equals PyTorch's, at once and picture by picture`(_ name: String, budget: Int) throws {
    let golden = try Golden("methods/\(name)")
    let outcome = try gradients(method(name, #"{"shared": true}"#, budget: budget), golden)
    for path in outcome.gradients.paths {
      let expected = try golden("gradient.\(path.dropFirst("shared.".count))")
      try agree(outcome.gradients.require(path), expected, path, within: .at(.gradient))
    }
  }

  @Test func `LoRA by the rank scales by α over r`() throws {
    let golden = try Golden("methods/lora")
    let method = try method("lora", #"{"shared": true, "scaling": "rank"}"#)
    let losses = try method.objectives(start(method, golden), batches)
    try agree(losses, golden("rank.losses").doubles(), "losses", within: .at(.tower))
  }

  @Test(arguments: [1 << 30, 1])
  func `the gradient of every weight of the model equals PyTorch's`(budget: Int) throws {
    let golden = try Golden("methods/fine-tuning-mt")
    let found = try gradients(method("fine-tuning-mt", budget: budget), golden).gradients
    let paths = try #require(settings["paths"]?.arrayValue).compactMap(\.stringValue)
    #expect(found.paths == paths.map { "shared.\($0)" }.sorted())
    let (sums, norms) = (try golden("sums").doubles(), try golden("norms").doubles())
    var whole = 0
    for (row, path) in paths.enumerated() {
      let gradient = try found.require("shared.\(path)")
      if golden.contains("gradient.\(path)") {
        whole += 1
        try agree(gradient, golden("gradient.\(path)"), path, within: .at(.gradient))
      }
      try expect(gradient, Array(sums[row * 4..<row * 4 + 4]), norms[row], path)
    }
    #expect(whole > paths.count / 2)
  }

  @Test func `the gradient of every weight of every task's copy equals PyTorch's`() throws {
    let golden = try Golden("methods/fine-tuning")
    let method = try method("fine-tuning")
    let found = try gradients(method, golden).gradients
    let paths = try #require(settings["paths"]?.arrayValue).compactMap(\.stringValue)
    let (sums, norms) = (try golden("sums").doubles(), try golden("norms").doubles())
    for task in 0..<3 {
      for (place, path) in paths.enumerated() {
        let row = task * paths.count + place
        let gradient = try found.require("tasks.\(task).\(path)")
        try expect(gradient, Array(sums[row * 4..<row * 4 + 4]), norms[row], "tasks.\(task).\(path)")
      }
    }
  }

  /// The four signed sums of a gradient and its length, to within a share of that length.
  private func expect(_ gradient: Tensor, _ sums: [Double], _ norm: Double, _ path: String) throws {
    let constants: [UInt64] = [2_654_435_761, 2_246_822_519, 3_266_489_917, 668_265_263]
    let values = try gradient.doubles()
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let allowed = Tolerance.at(.gradient).relative * norm
    #expect(abs(length - norm) <= allowed, "length of \(path): \(length), not \(norm)")
    for (odd, sum) in zip(constants, sums) {
      let found = values.enumerated().reduce(0.0) { total, entry in
        (UInt64(entry.offset + 1) &* odd) >> 31 & 1 == 1 ? total - entry.element : total + entry.element
      }
      #expect(abs(found - sum) <= allowed, "signed sum of \(path): \(found), not \(sum)")
    }
  }
}
