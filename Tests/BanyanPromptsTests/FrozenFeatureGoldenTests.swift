import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// The methods on top of frozen features, against scikit-learn and plain PyTorch.
@Suite(.everyWay) struct FrozenFeatureGoldenTests {
  private func method(_ name: String, _ options: String = "{}") throws -> any PromptMethod {
    let listed = try #require(Golden.json("methods/frozen")["tasks"]?.arrayValue)
    let tasks = try listed.map { task in
      PromptTask(
        name: try #require(task["name"]?.stringValue),
        classNames: try #require(task["classNames"]?.arrayValue).compactMap(\.stringValue))
    }
    return try MethodCatalog.entry(name)
      .make(JSONDocument.decode(from: Data(options.utf8), subject: "test"), TinyCLIP().context(tasks))
  }

  private func batches(_ golden: Golden, _ kind: String = "") throws -> [TaskBatch] {
    try (0..<3).map {
      TaskBatch(task: $0, features: try golden("\(kind)x.\($0)"), labels: try golden("\(kind)labels.\($0)"))
    }
  }

  private func logits(_ method: any PromptMethod, _ parameters: ParameterTree, _ batch: TaskBatch) throws -> Tensor {
    try Engine.withoutGradients {
      try method.logits(parameters, batch, method.classifiers(parameters)[batch.task].weights())
    }
  }

  /// What the method starts from, with the golden's numbers where it has them.
  private func start(_ method: any PromptMethod, _ golden: Golden) throws -> ParameterTree {
    let own = try method.prepared(method.initialParameters(seed: 1), training: batches(golden), seed: 1)
    return try own.mapTensors { try golden.contains($0) ? golden($0) : $1 }
  }

  private func matches(_ method: any PromptMethod, _ golden: Golden, _ prefix: String) throws {
    let (batches, start) = (try batches(golden), try start(method, golden))
    let (trainable, constants) = try method.selection.split(start)
    let leaves = try constants.merging(trainable.mapTensors { try $1.asParameter() })
    let losses = try golden("\(prefix).step0.losses").doubles()
    try agree(method.objectives(start, batches), losses, "\(prefix) objectives", within: .at(.tower))
    let parts = try method.taskGradients(leaves, batches)
    try agree(parts.flatMap(\.objectives), losses, "\(prefix) objectives of tasks", within: .at(.tower))
    let step = try method.step(leaves, batches)
    #expect(!step.gradients.paths.isEmpty && step.gradients.paths == trainable.paths)
    for path in trainable.paths {
      let expected = try golden("\(prefix).step0.gradient.\(path)")
      try agree(step.gradients.require(path), expected, "\(prefix) gradient of \(path)", within: .at(.gradient))
      let sum = try Tensor.stacked(parts.map { try $0.gradients.require(path) }).sum([0])
      try agree(sum, expected, "\(prefix) sum of gradients of \(path)", within: .at(.gradient))
    }
    for batch in batches {
      let expected = try golden("\(prefix).step0.logits.\(batch.task)")
      try agree(logits(method, start, batch), expected, "\(prefix) logits", within: .at(.tower))
    }
    let rate = try #require(Golden.json("methods/frozen")["rates"]?[method.name]?.doubleValue)
    let run = try descend(method, from: start, batches: batches, rate: rate, steps: 10)
    try agree(
      run.objectives.flatMap { $0 }, golden("\(prefix).sgd.task_losses").doubles(), "\(prefix) curve",
      within: .at(.training))
    for batch in batches {
      let expected = try golden("\(prefix).final.logits.\(batch.task)")
      try agree(logits(method, run.parameters, batch), expected, "\(prefix) final logits", within: .at(.training))
    }
    for batch in try self.batches(golden, "held.") where golden.contains("\(prefix).held.logits.\(batch.task)") {
      let expected = try golden("\(prefix).held.logits.\(batch.task)")
      try agree(logits(method, run.parameters, batch), expected, "\(prefix) held logits", within: .at(.training))
    }
  }

  // MARK: Linear probe

  @Test func `the linear probe's steps equal PyTorch's`() throws {
    try matches(method("linear-probe", #"{"solver": "steps"}"#), Golden("methods/linear-probe"), "steps")
  }

  @Test(arguments: [(0, 0.01), (1, 1.0), (2, 100.0)])
  func `the linear probe's minimum is scikit-learn's`(_ index: Int, _ strength: Double) throws {
    let golden = try Golden("methods/linear-probe")
    let method = try method("linear-probe", #"{"strength": \#(strength)}"#)
    let found = try method.finished(
      method.initialParameters(seed: 1), training: batches(golden), validation: [], seed: 1)
    for batch in try batches(golden, "held.") {
      let task = batch.task
      for part in ["head", "bias"] {
        let expected = try golden("minimum.\(index).\(part).\(task)")
        try agree(found.require("tasks.\(task).\(part)"), expected, "\(part) of \(task)", within: .at(.tower))
      }
      let expected = try golden("minimum.\(index).logits.\(task)")
      try agree(logits(method, found, batch), expected, "logits of \(task)", within: .at(.tower))
      #expect(try found.require("tasks.\(task).strength").item() == Double(Float(strength)))
    }
  }

  @Test func `the linear probe's strength is chosen on validation pictures as by scikit-learn`() throws {
    let golden = try Golden("methods/linear-probe")
    let method = try method("linear-probe")
    let (training, held) = (try batches(golden), try batches(golden, "held."))
    let start = try method.initialParameters(seed: 1)
    // Task 1 has no validation pictures, and takes λ = 1.
    let found = try method.finished(start, training: training, validation: [held[0], held[2]], seed: 1)
    for task in [0, 2] {
      let exponent = log10(try found.require("tasks.\(task).strength").item())
      try agree([exponent], [golden.number("chosen.exponent.\(task)")], "exponent of \(task)", within: Tolerance(1e-6))
      try agree(
        logits(method, found, held[task]), golden("chosen.logits.\(task)"), "logits of \(task)", within: .at(.training))
    }
    try agree(
      found.require("tasks.1.head"), golden("minimum.1.head.1"), "head without a choice", within: .at(.tower))
    #expect(!method.needsValidation)
    let again = try method.finished(start, training: training, validation: [held[0], held[2]], seed: 2)
    #expect(try found.differingPaths(from: again).isEmpty)
  }

  // MARK: Adapter

  @Test(arguments: [("image", "{}"), ("text", #"{"on": "text", "shared": false}"#)])
  func `the adapter equals PyTorch's`(_ prefix: String, _ options: String) throws {
    let golden = try Golden("methods/clip-adapter")
    let method = try method("clip-adapter", options)
    if prefix == "image" {
      for (task, classifier) in try method.classifiers(start(method, golden)).enumerated() {
        try agree(classifier.weights(), golden("weights.\(task)"), "weights of \(task)", within: .at(.tower))
      }
    }
    try matches(method, golden, prefix)
  }

  @Test(arguments: ["image", "text"], [true, false])
  func `an adapter without a share is zero-shot`(_ side: String, _ shared: Bool) throws {
    let golden = try Golden("methods/clip-adapter")
    let adapter = try method("clip-adapter", #"{"ratio": 0, "on": "\#(side)", "shared": \#(shared)}"#)
    try isZeroShot(adapter, golden)
  }

  // MARK: Cache

  @Test func `the cache's logits equal PyTorch's`() throws {
    let golden = try Golden("methods/tip-adapter")
    for name in ["tip-adapter", "tip-adapter-f"] {
      let method = try method(name)
      let parameters = try start(method, golden)
      for batch in try batches(golden, "held.") {
        let task = batch.task
        #expect(try parameters.require("tasks.\(task).keys").isIdentical(to: golden("x.\(task)")))
        #expect(try parameters.require("tasks.\(task).values").isIdentical(to: golden("values.\(task)")))
        try agree(
          logits(method, parameters, batch), golden("held.logits.\(task)"), "\(name) of \(task)", within: .at(.tower))
      }
    }
    #expect(try method("tip-adapter").selection.split(start(method("tip-adapter"), golden)).trainable.count == 0)
  }

  @Test func `trained keys equal PyTorch's`() throws {
    try matches(method("tip-adapter-f"), Golden("methods/tip-adapter"), "trained")
  }

  @Test func `a cache without weight is zero-shot`() throws {
    try isZeroShot(method("tip-adapter", #"{"alpha": 0}"#), Golden("methods/tip-adapter"))
  }

  @Test func `alpha and beta are chosen on validation pictures as by a plain search`() throws {
    let golden = try Golden("methods/tip-adapter")
    let method = try method("tip-adapter", #"{"search": true, "alphaLimit": 40, "betaLimit": 13}"#)
    let start = try start(method, golden)
    let (training, held) = (try batches(golden), try batches(golden, "held."))
    let found = try method.finished(start, training: training, validation: held, seed: 1)
    for task in 0..<3 {
      for name in ["alpha", "beta"] {
        try agree(
          [found.require("tasks.\(task).\(name)").item()], [golden.number("searched.\(name).\(task)")],
          "\(name) of \(task)", within: Tolerance(1e-6))
      }
    }
    #expect(try found.differingPaths(from: start).allSatisfy { $0.hasSuffix("alpha") || $0.hasSuffix("beta") })
    #expect(method.needsValidation)
    let error = #expect(throws: BanyanError.self) {
      try method.finished(start, training: training, validation: [held[0], held[2]], seed: 1)
    }
    #expect(error?.message.contains("sketch") == true)
  }

  // MARK: Refusals

  @Test(arguments: [
    ("linear-probe", #"{"strength": 0}"#, "strength"),
    ("linear-probe", #"{"strength": 1, "solver": "steps"}"#, "strength"),
    ("clip-adapter", #"{"ratio": 1.5}"#, "ratio"), ("clip-adapter", #"{"reduction": 25}"#, "reduction"),
    ("tip-adapter", #"{"alpha": -1}"#, "alpha"), ("tip-adapter-f", #"{"betaLimit": 0.1}"#, "betaLimit"),
  ])
  func `numbers that make no sense are refused`(_ name: String, _ options: String, _ key: String) throws {
    let error = #expect(throws: BanyanError.self) { try method(name, options) }
    #expect(error?.kind == .usage && error?.subject == key && error?.message.contains("expected") == true)
  }

  private func isZeroShot(_ method: any PromptMethod, _ golden: Golden) throws {
    let plain = try self.method("zero-shot")
    let parameters = try start(method, golden)
    for batch in try batches(golden, "held.") {
      let expected = try logits(plain, ParameterTree(), batch)
      try agree(logits(method, parameters, batch), expected, "logits of \(batch.task)", within: .at(.operation))
    }
  }
}

extension PromptMethod {
  fileprivate var name: String { Self.descriptor.name }
}
