import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import Testing

/// Methods that are each other's special cases, bit for bit over ten steps.
@Suite struct IdentityTests {
  private let tasks = [
    PromptTask(name: "photo", classNames: ["cat", "red fox", "wooden chair"]),
    PromptTask(name: "sketch", classNames: ["cat", "red fox", "wooden chair"]),
    PromptTask(name: "digit", classNames: ["zero", "number seven"]),
  ]

  private func make(_ name: String, _ context: MethodContext, _ options: JSONValue = .object([:])) throws
    -> any PromptMethod
  {
    try MethodCatalog.entry(name).make(options, context)
  }

  /// Ten steps of both from the same seed; the parameters of each path of `places` must be the same to the bit.
  private func expectSame(
    _ one: any PromptMethod, _ other: any PromptMethod, _ batches: [TaskBatch], places: [(String, String)]
  ) throws {
    let starts = (try one.initialParameters(seed: 3), try other.initialParameters(seed: 3))
    #expect(starts.0.count == places.count && starts.1.count == places.count)
    let runs = (
      try descend(one, from: starts.0, batches: batches, steps: 10),
      try descend(other, from: starts.1, batches: batches, steps: 10)
    )
    #expect(runs.0.objectives == runs.1.objectives)
    for (a, b) in places {
      #expect(try starts.0.require(a).isIdentical(to: starts.1.require(b)), "start of \(a)")
      #expect(try runs.0.parameters.require(a).isIdentical(to: runs.1.parameters.require(b)), "\(a)")
      #expect(try !starts.0.require(a).isIdentical(to: runs.0.parameters.require(a)))
    }
    let classifiers = (try one.classifiers(runs.0.parameters), try other.classifiers(runs.1.parameters))
    for (a, b) in zip(classifiers.0, classifiers.1) {
      #expect(try a.weights().isIdentical(to: b.weights()))
      for weights in a.combinations.values { #expect(try weights.isIdentical(to: b.weights())) }
    }
  }

  @Test(arguments: ["per-node", "combined", "both"])
  func `HiPro on one task is CoOp, to the bit`(_ objective: String) throws {
    let clip = try TinyCLIP()
    let one = [tasks[0]]
    let trees = [
      try TaskTree.flat(["photo"]), try TaskTree.single(["photo"]), try TaskTree.random(["photo"], seed: 1),
      try TaskTree(clustering: AffinityMatrix(names: ["photo"], values: [[1]])),
    ]
    for tree in trees {
      try expectSame(
        make("hipro", clip.context(one, tree: tree), .object(["objective": .string(objective)])),
        make("coop", clip.context(one)), clip.batches(one), places: [("nodes.0.context", "tasks.0.context")])
    }
  }

  @Test(arguments: ["per-node", "combined"])
  func `HiPro on one node for all tasks is CoOp-MT, to the bit`(_ objective: String) throws {
    let clip = try TinyCLIP()
    let tree = try TaskTree.single(tasks.map(\.name))
    try expectSame(
      make("hipro", clip.context(tasks, tree: tree), .object(["objective": .string(objective)])),
      make("coop-mt", clip.context(tasks)), clip.batches(tasks), places: [("nodes.0.context", "shared.context")])
  }

  @Test func `HiPro on leaves alone is CoOp for each task`() throws {
    let clip = try TinyCLIP()
    // Different class lists, so that texts are encoded task by task in both.
    let apart = [tasks[0], tasks[2]]
    try expectSame(
      make("hipro", clip.context(apart, tree: .flat(apart.map(\.name)))), make("coop", clip.context(apart)),
      clip.batches(apart), places: (0..<2).map { ("nodes.\($0).context", "tasks.\($0).context") })
  }

  @Test(arguments: [UInt64](1...5))
  func `random trees train, and every node is used by the tasks below it alone`(_ seed: UInt64) throws {
    let clip = try TinyCLIP()
    let names = tasks.map(\.name)
    let tree = try TaskTree.random(names, seed: seed)
    let method = try make("hipro", clip.context(tasks, tree: tree))
    let batches = try clip.batches(tasks)
    let run = try descend(method, from: method.initialParameters(seed: 1), batches: batches, steps: 8)
    #expect(run.objectives[7].reduce(0, +) < run.objectives[0].reduce(0, +))
    let leaves = try run.parameters.mapTensors { try $1.asParameter() }
    for (task, outcome) in try method.taskGradients(leaves, batches).enumerated() {
      for node in tree.nodes {
        let size = try outcome.gradients.require("nodes.\(node.index).context").abs().sum().item()
        #expect((size > 0) == node.tasks.contains(task), "node \(node.index), task \(task)")
      }
    }
  }

  @Test func `a tree of other tasks, or none, is refused`() throws {
    let clip = try TinyCLIP()
    #expect(throws: BanyanError.self) { try make("hipro", clip.context(tasks)) }
    let other = try TaskTree.flat(["photo", "digit", "sketch"])
    let error = #expect(throws: BanyanError.self) { try make("hipro", clip.context(tasks, tree: other)) }
    #expect(error?.message.contains("photo, sketch, digit") == true)
  }

  @Test func `combinations predict with the classifier they name, and learned ones are fitted on validation`() throws {
    let clip = try TinyCLIP()
    let tree = try TaskTree.random(tasks.map(\.name), seed: 2)
    let batches = try clip.batches(tasks)
    let start = try make("hipro", clip.context(tasks, tree: tree)).initialParameters(seed: 1)
    for combine in ["individual", "shared", "average", "learned"] {
      let method = try make("hipro", clip.context(tasks, tree: tree), .object(["combine": .string(combine)]))
      guard combine == "learned" else {
        #expect(try method.finished(start, training: [], validation: [], seed: 1).paths == start.paths)
        for classifier in try method.classifiers(start) {
          #expect(classifier.chosen == combine)
          #expect(try classifier.weights().isIdentical(to: #require(classifier.combinations[combine])))
        }
        continue
      }
      #expect(try method.classifiers(start).allSatisfy { $0.chosen == "average" })
      let error = #expect(throws: BanyanError.self) {
        try method.finished(start, training: [], validation: Array(batches.dropLast()), seed: 1)
      }
      #expect(error?.kind == .usage && error?.message.contains("digit") == true && error?.remedy.isEmpty == false)
      let fitted = try method.finished(start, training: [], validation: batches, seed: 1)
      #expect(try start.differingPaths(from: fitted).allSatisfy { $0.hasSuffix(".combination") })
      for (task, classifier) in try method.classifiers(fitted).enumerated() {
        #expect(classifier.chosen == "learned")
        let scores = try fitted.require("tasks.\(task).combination")
        #expect(scores.shape == [tree.path(to: task).count])
        func loss(_ weights: Tensor) throws -> Double {
          let logits = try batches[task].features.matmul(weights.transposed()) * clip.model.logitScale
          return try logits.crossEntropy(batches[task].labels).item()
        }
        #expect(try loss(classifier.weights()) < loss(#require(classifier.combinations["average"])))
      }
    }
  }

  @Test func `class-specific contexts are refused where a prompt serves different class names`() throws {
    let clip = try TinyCLIP()
    let options = JSONValue.object(["context": .object(["classSpecific": .bool(true)])])
    #expect(throws: BanyanError.self) { try make("coop-mt", clip.context(tasks), options) }
    let tree = try TaskTree.single(tasks.map(\.name))
    #expect(throws: BanyanError.self) { try make("hipro", clip.context(tasks, tree: tree), options) }
    let alike = Array(tasks[..<2])
    let shared = try make("coop-mt", clip.context(alike), options).initialParameters(seed: 1)
    #expect(try shared.require("shared.context").shape == [3, 16, 32])
  }
}
