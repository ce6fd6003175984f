import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import Testing

/// HiPro through the method and the optimizer that the program uses, against plain PyTorch.
@Suite(.everyWay) struct HiProGoldenTests {
  /// The three tasks and the tree of the goldens.
  private func world() throws -> (tasks: [PromptTask], tree: TaskTree) {
    let document = try Golden.json("prompts/hipro")
    let tasks = try #require(document["tasks"]?.arrayValue)
    let prompts = tasks.map { task in
      PromptTask(
        name: task["name"]?.stringValue ?? "",
        classNames: task["classNames"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
    let affinity = try AffinityMatrix(
      names: prompts.map(\.name), values: [[1, 0.8, 0.1], [0.8, 1, 0.2], [0.1, 0.2, 1]])
    let tree = try TaskTree(clustering: affinity, linkage: .average)
    for (index, task) in tasks.enumerated() {
      #expect(tree.path(to: index) == task["path"]?.arrayValue?.compactMap(\.intValue))
    }
    return (prompts, tree)
  }

  private func method(_ objective: String, path: Int = 1 << 30) throws -> any PromptMethod {
    let (tasks, tree) = try world()
    let context = try TinyCLIP().context(tasks, tree: tree, budget: path)
    return try MethodCatalog.entry("hipro").make(.object(["objective": .string(objective)]), context)
  }

  private func parameters(_ golden: Golden) throws -> ParameterTree {
    let contexts = try (0..<5).map { ("nodes.\($0).context", try golden("nodes.\($0)")) }
    return ParameterTree(Dictionary(uniqueKeysWithValues: contexts))
  }

  private func batches(_ golden: Golden) throws -> [TaskBatch] {
    try (0..<3).map { TaskBatch(task: $0, features: try golden("x.\($0)"), labels: try golden("labels.\($0)")) }
  }

  private static let objectives = [("per-node", "per_node"), ("combined", "combined")]

  @Test(arguments: objectives, [1 << 30, 60_000])
  func `losses and gradients of every node equal PyTorch's, whole and in chunks`(
    _ objective: (option: String, golden: String), budget: Int
  ) throws {
    let golden = try Golden("prompts/hipro")
    let method = try method(objective.option, path: budget)
    let parameters = try parameters(golden).mapTensors { try $1.asParameter() }
    let outcome = try method.step(parameters, batches(golden))
    let prefix = "\(objective.golden).step0"
    try agree(outcome.objectives, golden("\(prefix).losses").doubles(), "\(prefix).losses", within: .at(.tower))
    #expect(outcome.gradients.paths == parameters.paths)
    for node in 0..<5 {
      let key = "\(prefix).gradient.nodes.\(node)"
      try agree(outcome.gradients.require("nodes.\(node).context"), golden(key), key, within: .at(.gradient))
    }
  }

  @Test func `the objective of both is the sum of both`() throws {
    let golden = try Golden("prompts/hipro")
    let parameters = try parameters(golden).mapTensors { try $1.asParameter() }
    let outcome = try method("both").step(parameters, batches(golden))
    let losses = try golden("per_node.step0.losses") + golden("combined.step0.losses")
    try agree(outcome.objectives, losses.doubles(), "both.losses", within: .at(.tower))
    for node in 0..<5 {
      let key = "step0.gradient.nodes.\(node)"
      let sum = try golden("per_node.\(key)") + golden("combined.\(key)")
      try agree(outcome.gradients.require("nodes.\(node).context"), sum, "both.\(key)", within: .at(.gradient))
    }
  }

  @Test(arguments: objectives)
  func `ten steps of all nodes equal PyTorch's`(_ objective: (option: String, golden: String)) throws {
    let golden = try Golden("prompts/hipro")
    let run = try descend(method(objective.option), from: parameters(golden), batches: batches(golden), steps: 10)
    let key = objective.golden
    try agree(
      run.objectives.flatMap(\.self), golden("\(key).sgd.task_losses").doubles(), "\(key).sgd.task_losses",
      within: .at(.training))
    try agree(
      run.objectives.map { $0.reduce(0, +) }, golden("\(key).sgd.losses").doubles(), "\(key).sgd.losses",
      within: .at(.training))
    for node in 0..<5 {
      try agree(
        run.parameters.require("nodes.\(node).context"), golden("\(key).final.nodes.\(node)"),
        "\(key).final.nodes.\(node)", within: .at(.training))
    }
  }

  @Test(arguments: objectives, ["step0", "final"])
  func `individual, shared and averaged classifiers equal PyTorch's`(
    _ objective: (option: String, golden: String), _ time: String
  ) throws {
    let golden = try Golden("prompts/hipro")
    let key = "\(objective.golden).\(time)"
    let contexts = try (0..<5).map {
      ("nodes.\($0).context", try golden(time == "final" ? "\(key).nodes.\($0)" : "nodes.\($0)"))
    }
    let trained = ParameterTree(Dictionary(uniqueKeysWithValues: contexts))
    let classifiers = try method(objective.option).classifiers(trained)
    let scale = try TinyCLIP().model.logitScale
    #expect(classifiers.count == 3)
    for (task, classifier) in classifiers.enumerated() {
      #expect(classifier.chosen == "average")
      #expect(Set(classifier.combinations.keys) == ["individual", "shared", "average"])
      for (name, short) in [("individual", "w_ind"), ("shared", "w_shr"), ("average", "w_avg")] {
        let found = try #require(classifier.combinations[name])
        try agree(found, golden("\(key).\(short).\(task)"), "\(key).\(short).\(task)", within: .at(.tower))
      }
      let logits = try golden("x.\(task)").matmul(classifier.weights().transposed()) * scale
      try agree(logits, golden("\(key).logits_avg.\(task)"), "\(key).logits_avg.\(task)", within: .at(.tower))
    }
  }
}
