import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import Foundation

extension BenchSide {
  private static let rate = 0.002

  /// CoOp: one task, its context alone.
  static func textPrompt(_ rig: Rig, classes: Int) throws -> BenchSide {
    let tasks = [PromptTask(name: "t0", classNames: rig.names(classes))]
    let method = try make("coop", rig.context(tasks))
    let batches = try rig.batches(tasks: 1, rows: 32, classes: classes)
    return try side(
      rig, method, "coop", batches, prompts: 16, extra: ["parts": .integer(classes > 500 ? 4 : 1)])
  }

  /// HiPro: two or four tasks with the same class names, a balanced tree.
  ///
  /// - Parameter turns: How many steps a turn takes from the start; `nil` for one after the last turn's.
  static func tree(_ rig: Rig, tasks count: Int, classes: Int, turns: Int? = nil) throws -> BenchSide {
    let names = (0..<count).map { "t\($0)" }
    let tasks = names.map { PromptTask(name: $0, classNames: rig.names(classes)) }
    let tree = try TaskTree(newick: count == 2 ? "(t0,t1);" : "((t0,t1),(t2,t3));", names: names)
    let method = try make("hipro", rig.context(tasks, tree: tree))
    let batches = try rig.batches(tasks: count, rows: 32, classes: classes)
    let paths = names.indices.map { task in JSONValue.array(tree.path(to: task).map { .integer(Int64($0)) }) }
    return try side(
      rig, method, "hipro", batches, prompts: 16, turns: turns,
      extra: ["nodes": .integer(Int64(tree.nodes.count)), "paths": .array(paths)])
  }

  /// As many HiPro steps as 50 epochs of PACS with 8 shots take, each time from the start.
  static func wholeRun(_ rig: Rig) throws -> BenchSide {
    let steps = 100
    var side = try tree(rig, tasks: 4, classes: 7, turns: steps)
    side.request["repeat"] = .integer(Int64(steps))
    side.checkpoint = rig.checkpoint
    // At a constant rate on labels without sense a descent is chaotic: a last digit is the second one 150 steps later.
    side.compared = (30, steps)
    return side
  }

  /// Methods that learn something of the image tower.
  static func towers(_ rig: Rig, _ name: String, rows: Int) throws -> BenchSide {
    let tasks = [PromptTask(name: "t0", classNames: rig.names(65))]
    let options: [String: [String: JSONValue]] = [
      "mmap": ["length": .integer(8)], "vpt": ["length": .integer(16)],
      "fine-tuning": ["templates": .array([.string("{}.")])],
    ]
    let method = try make(
      name, rig.context(tasks, groups: .allInOne(["t0"])), options: .object(options[name] ?? [:]))
    let batches = try rig.batches(tasks: 1, rows: rows, classes: 65)
    let (prompts, depth) =
      switch name {
      case "maple": (2, 9)
      case "mmap": (8, 12)
      case "vpt": (16, 12)
      default: (0, 0)
      }
    return try side(
      rig, method, name, batches, prompts: name == "vpt" ? 0 : prompts, givesWeights: name == "vpt",
      extra: ["depth": .integer(Int64(depth))])
  }

  /// The gradients of each task's loss on a prompt that all share, and their cosines.
  static func affinity(_ rig: Rig, tasks: Int) throws -> BenchSide {
    let list = (0..<tasks).map { PromptTask(name: "t\($0)", classNames: rig.names(65)) }
    let method = try make("coop-mt", rig.context(list))
    let batches = try rig.batches(tasks: tasks, rows: 32, classes: 65)
    let parameters = try method.initialParameters(seed: 1)
    var own = try side(rig, method, "affinity", batches, prompts: 16)
    own.step = {
      let leaves = try parameters.mapTensors { try $1.asParameter() }
      let outcomes = try method.taskGradients(leaves, batches)
      let rows = try outcomes.map { outcome in
        let whole = try outcome.gradients.tensors.map { try $0.reshaped([$0.count]) }
        return try Tensor.concatenated(whole, axis: 0).normalized()
      }
      let directions = try Tensor.stacked(rows)
      let cosines = try directions.matmul(directions.transposed()).doubles()
      return [outcomes.flatMap(\.objectives).reduce(0, +)] + cosines
    }
    return own
  }

  /// A step of `method` with its optimizer; the other side gets inputs and starting parameters in a file.
  private static func side(
    _ rig: Rig, _ method: any PromptMethod, _ name: String, _ batches: [TaskBatch], prompts: Int,
    givesWeights: Bool = false, turns: Int? = nil, extra: [String: JSONValue] = [:]
  ) throws -> BenchSide {
    let start = try method.initialParameters(seed: 1)
    let names = rig.names(batches.isEmpty ? 0 : try method.classifiers(start)[0].weights().extent(0))
    let texts = try rig.texts(names, prompts: prompts)
    var inputs = ParameterTree(["ids": texts.ids, "ends": texts.ends])
    for batch in batches {
      inputs["pixels.\(batch.task)"] = try batch.pixels()
      inputs["labels.\(batch.task)"] = batch.labels
    }
    if givesWeights { inputs["weights"] = try method.classifiers(start)[0].weights() }
    if name != "fine-tuning" { inputs = inputs.merging(start.nested(under: "p")) }
    let file = rig.folder.appending(path: "case.safetensors")
    try SafetensorsFile.write(inputs, to: file)
    let request: [String: JSONValue] = [
      "name": .string(name), "file": .string(file.path), "tasks": .integer(Int64(batches.count)), "rate": .number(rate),
      "parts": .integer(1),
    ]
    /// A descent from the start.
    func descent() throws -> () throws -> [Double] {
      let leaves = try method.selection.split(start).trainable.mapTensors { try $1.asParameter() }
      let optimizer = try Optimizer(
        .sgd(momentum: 0.9, weightDecay: 5e-4, nesterov: false), parameters: leaves, rate: rate)
      return {
        let outcome = try method.step(leaves, batches)
        try optimizer.step(outcome.gradients, rate: rate)
        return [outcome.objectives.reduce(0, +)]
      }
    }
    let whole = request.merging(extra) { $1 }
    guard let turns else { return BenchSide(request: whole, step: try descent()) }
    return BenchSide(request: whole) {
      let step = try descent()
      return try (0..<turns).flatMap { _ in try step() }
    }
  }

  private static func make(_ name: String, _ context: MethodContext, options: JSONValue = .object([:])) throws
    -> any PromptMethod
  {
    try MethodCatalog.entry(name).make(options, context)
  }
}
