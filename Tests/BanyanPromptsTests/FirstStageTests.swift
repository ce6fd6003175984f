import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// The two stages of multi-task prompt tuning: one prompt on all tasks, then a copy of it for each.
@Suite struct FirstStageTests {
  private func make(_ name: String, _ options: String, tasks: [PromptTask] = MethodLaws.tasks) throws
    -> any PromptMethod
  {
    try MethodCatalog.entry(name).make(
      JSONDocument.decode(from: Data(options.utf8), subject: "test"), TinyCLIP().context(tasks))
  }

  private func options(_ prompts: String, steps: Int, more: String = "") -> String {
    #"{"prompts": "\#(prompts)", "length": 3, "width": 16, "source": {"steps": \#(steps), "rate": 0.02}\#(more)}"#
  }

  @Test(arguments: ["coop", "vpt", "upt"])
  func `every task starts from what steps on all tasks have made`(_ prompts: String) throws {
    let batches = try TinyCLIP().batches(MethodLaws.tasks)
    // The same by hand: SGD on one copy, whole batches, the rate along a cosine.
    let whole = try make("mvlpt", options(prompts, steps: 0, more: #", "target": "all""#))
    let leaves = try whole.initialParameters(seed: 5).mapTensors { try $1.asParameter() }
    let optimizer = try Optimizer(.golden("sgd"), parameters: leaves, rate: 0.02)
    var objectives: [Double] = []
    for step in 0..<5 {
      let outcome = try whole.step(leaves, batches)
      objectives.append(outcome.objectives.reduce(0, +))
      try optimizer.step(outcome.gradients, rate: 0.01 * (1 + cos(.pi * Double(step) / 5)))
    }
    #expect(objectives[4] < objectives[0])

    let method = try make("mvlpt", options(prompts, steps: 5))
    let start = try method.initialParameters(seed: 5)
    let prepared = try method.prepared(start, training: batches, seed: 5)
    #expect(prepared.paths == start.paths)
    for path in leaves.paths {
      for task in 0..<3 {
        let place = path.replacingOccurrences(of: "shared", with: "tasks.\(task)")
        try agree(prepared.require(place), leaves.require(path), place, within: .at(.training), floor: 1e-3)
      }
    }
    let none = try make("mvlpt", options(prompts, steps: 0))
    #expect(try none.prepared(start, training: batches, seed: 5).differingPaths(from: start).isEmpty)
  }

  @Test func `the first stage is the same for the same seed alone, and draws its own batches`() throws {
    let batches = try TinyCLIP().batches(MethodLaws.tasks)
    let method = try make(
      "mvlpt", #"{"prompts": "coop", "length": 3, "source": {"steps": 4, "rate": 0.02, "batchSize": 5}}"#)
    func run(_ seed: UInt64, _ batches: [TaskBatch]) throws -> Tensor {
      try method.prepared(method.initialParameters(seed: 1), training: batches, seed: seed).require("tasks.0.text.0")
    }
    #expect(try run(1, batches).isIdentical(to: run(1, batches)))
    #expect(try run(1, batches).isIdentical(to: run(1, batches.reversed())))
    #expect(try !run(1, batches).isIdentical(to: run(2, batches)))
  }

  @Test func `without a first stage contexts are CoOp's and image prompts are VPT's`() throws {
    let batches = try TinyCLIP().batches(MethodLaws.tasks)
    let pairs = [
      ("coop", #"{"context": {"length": 3}}"#, "text.0", "context"), ("vpt", #"{"length": 3, "depth": 1}"#, "", ""),
    ]
    for (prompts, twin, old, new) in pairs {
      let (one, other) = (try make("mvlpt", options(prompts, steps: 0)), try make(prompts, twin))
      #expect(one.predictsByMatrix == (prompts == "coop") && one.readsPixels == (prompts == "vpt"))
      let start = try one.initialParameters(seed: 2)
      func renamed(_ path: String) -> String { old.isEmpty ? path : path.replacingOccurrences(of: old, with: new) }
      let twinStart = ParameterTree(
        Dictionary(uniqueKeysWithValues: try start.paths.map { (renamed($0), try start.require($0)) }))
      let runs = (
        try descend(one, from: start, batches: batches, steps: 6),
        try descend(other, from: twinStart, batches: batches, steps: 6)
      )
      try agree(runs.0.objectives.flatMap { $0 }, runs.1.objectives.flatMap { $0 }, prompts, within: .shortcut)
      for path in start.paths {
        try agree(
          runs.0.parameters.require(path), runs.1.parameters.require(renamed(path)), path, within: .at(.training))
      }
    }
  }

  @Test func `tasks part after the first stage`() throws {
    let batches = try TinyCLIP().batches(MethodLaws.tasks)
    let method = try make("mvlpt", options("upt", steps: 3))
    let start = try method.prepared(method.initialParameters(seed: 1), training: batches, seed: 1)
    let end = try descend(method, from: start, batches: batches, steps: 3).parameters
    #expect(try start.require("tasks.0.tokens").isIdentical(to: start.require("tasks.2.tokens")))
    #expect(try !end.require("tasks.0.tokens").isIdentical(to: end.require("tasks.2.tokens")))
    // What a task learns does not reach the others.
    let leaves = try start.mapTensors { try $1.asParameter() }
    let gradients = try method.taskGradients(leaves, batches)[1].gradients
    for path in gradients.paths {
      let size = try gradients.require(path).abs().sum().item()
      #expect((size > 0) == path.hasPrefix("tasks.1."), "\(path)")
    }
  }
}
