import BanyanCLIP
public import BanyanFoundation
public import BanyanPrompts
import BanyanStructure
public import BanyanTensor
import Foundation

/// What must hold for every method of the catalogue, whatever it learns.
///
/// Each law throws a ``Disagreement`` where it is broken. A new method is covered by its line in the catalogue.
public struct MethodLaws: Sendable {
  /// The method under test.
  public let entry: MethodCatalog.Entry
  /// The model.
  public let clip: TinyCLIP
  /// The method's options; the defaults where it is empty.
  public let options: JSONValue

  /// Three tasks: two with the same class names, one with others.
  public static let tasks = [
    PromptTask(name: "photo", classNames: ["cat", "red fox", "wooden chair", "grand piano"]),
    PromptTask(name: "sketch", classNames: ["cat", "red fox", "wooden chair", "grand piano"]),
    PromptTask(name: "digit", classNames: ["number seven", "zero", "big letter"]),
  ]

  /// The laws of the method called `name` under `options`, in the arithmetic of `dtype`.
  public init(_ name: String, options: JSONValue = .object([:]), dtype: DType = .float32) throws {
    self.options = options
    entry = try MethodCatalog.entry(name)
    clip = try TinyCLIP(dtype: dtype)
  }

  /// The method over `tasks`, with a tree or groups of them where it asks for one.
  public func method(
    _ tasks: [PromptTask] = tasks, options: JSONValue? = nil, ways: EncodingWays? = nil, budget: Int = 1 << 30
  ) throws -> any PromptMethod {
    let options = options ?? self.options
    let structure = try entry.structure(options)
    // The tree joins tasks by name, so that it does not depend on their order.
    let names = tasks.map(\.name)
    let places = names.map { Int($0.utf8.first ?? 0) }
    let values = places.map { a in places.map { b in 1 / Double(1 + abs(a - b)) } }
    let tree = try structure == .tree ? TaskTree(clustering: AffinityMatrix(names: names, values: values)) : nil
    let together = names.filter { $0 != "digit" }
    let lists = [together, names.filter { $0 == "digit" }].filter { !$0.isEmpty }
    let groups = try structure == .groups ? TaskGroups(reading: lists, names: names) : nil
    return try entry.make(options, clip.context(tasks, tree: tree, groups: groups, ways: ways, budget: budget))
  }

  /// Starting parameters in the model's precision, those that are trained as leaves.
  ///
  /// - Parameter nudge: Deviation of the noise on what is trained: away from starts at which gradients vanish.
  public func leaves(
    _ method: any PromptMethod, seed: UInt64 = 1, batches: [TaskBatch]? = nil, nudge: Double = 0
  ) throws -> ParameterTree {
    let training = try batches ?? clip.batches(Self.tasks)
    let start = try method.prepared(method.initialParameters(seed: seed), training: training, seed: seed)
      .mapTensors { try $1.to(clip.dtype) }
    let (trainable, constants) = try method.selection.split(start)
    return try constants.merging(
      trainable.mapTensors { path, tensor in
        guard nudge > 0 else { return try tensor.asParameter() }
        return try (tensor + clip.normal(tensor.shape, seed: UInt64(path.utf8.count), deviation: nudge)).asParameter()
      })
  }

  /// Gradients come for exactly the trainable paths, and the selection covers the backbone too.
  public func gradientPaths() throws {
    let method = try method()
    let parameters = try leaves(method)
    let whole = parameters.merging(clip.model.parameters.nested(under: "clip"))
    let (trainable, frozen) = try method.selection.split(whole)
    try expect(
      frozen.paths.count { $0.hasPrefix("clip.") } == clip.model.parameters.count, "a part of the backbone is trained")
    let batches = try clip.batches(Self.tasks)
    for outcome in try [method.step(parameters, batches)] + method.taskGradients(parameters, batches) {
      try expect(
        outcome.gradients.paths == trainable.paths, "gradients for \(outcome.gradients.paths), not \(trainable.paths)")
      for path in trainable.paths {
        try expect(
          outcome.gradients.require(path).shape == trainable.require(path).shape,
          "the gradient of \(path) has another shape")
      }
    }
  }

  /// A step's gradient is the sum of the tasks' gradients, and all three ways give the same objectives.
  public func stepIsSum() throws {
    let method = try method()
    let parameters = try leaves(method, nudge: 0.02)
    let batches = try clip.batches(Self.tasks)
    let step = try method.step(parameters, batches)
    let parts = try method.taskGradients(parameters, batches)
    try expect(parts.count == batches.count && parts.allSatisfy { $0.objectives.count == 1 }, "one outcome per batch")
    let objectives = try method.objectives(parameters, batches)
    try agree(step.objectives, objectives, "objectives of a step", within: .shortcut)
    try agree(parts.flatMap(\.objectives), objectives, "objectives of the tasks", within: .shortcut)
    for path in step.gradients.paths {
      let terms = try parts.map { try $0.gradients.require(path) }
      try agree(
        Tensor.stacked(terms).sum([0]), step.gradients.require(path), "sum of gradients of \(path)", within: .shortcut)
      try expect(step.gradients.require(path).abs().sum().item() > 0, "the gradient of \(path) is zero")
    }
    // A part of the tasks gives what it gives among all.
    let alone = try method.step(parameters, [batches[2]])
    try agree(alone.objectives, [objectives[2]], "objective of one task alone", within: .shortcut)
    for path in alone.gradients.paths {
      try agree(
        alone.gradients.require(path), parts[2].gradients.require(path), "gradient of \(path) of one task alone",
        within: .shortcut, floor: 1e-6)
    }
  }

  /// The fast ways through both towers give what the other ones give: objectives, gradients, classifiers, logits.
  public func waysAgree() throws {
    let fast = try method(ways: .fast)
    let parameters = try leaves(fast, nudge: 0.02)
    let batches = try clip.batches(Self.tasks)
    let step = try fast.step(parameters, batches)
    let classifiers = try fast.classifiers(parameters)
    for ways in EncodingWays.all.dropFirst() {
      let other = try method(ways: ways)
      let theirs = try other.step(parameters, batches)
      try agree(step.objectives, theirs.objectives, "objectives beside \(ways)", within: .at(.tower))
      try expect(step.gradients.paths == theirs.gradients.paths, "other gradients with \(ways)")
      for path in theirs.gradients.paths {
        try agree(
          step.gradients.require(path), theirs.gradients.require(path), "gradient of \(path) beside \(ways)",
          within: .at(.gradient), floor: 1e-3)
      }
      for (batch, (own, their)) in try zip(batches, zip(classifiers, other.classifiers(parameters))) {
        try agree(own.weights(), their.weights(), "classifier beside \(ways)", within: .at(.tower))
        try agree(
          Engine.withoutGradients { try fast.logits(parameters, batch, own.weights()) },
          Engine.withoutGradients { try other.logits(parameters, batch, their.weights()) }, "logits beside \(ways)",
          within: .at(.tower))
      }
    }
  }

  /// A task's gradient is zero for what does not serve it, and every parameter serves some task.
  public func servesWhatItMoves() throws {
    let method = try method()
    let parameters = try leaves(method, nudge: 0.02)
    let batches = try clip.batches(Self.tasks)
    let outcomes = try method.taskGradients(parameters, batches)
    for path in outcomes.first?.gradients.paths ?? [] {
      for (task, outcome) in outcomes.enumerated() {
        let moves = try outcome.gradients.require(path).abs().sum().item() > 0
        try expect(
          moves == method.serves(task, path: path),
          "\(path) \(moves ? "moves" : "does not move") task \(task), and says otherwise")
      }
      try expect(batches.indices.contains { method.serves($0, path: path) }, "\(path) serves no task")
    }
  }

  /// The gradient is the slope of the objective along a random direction; meant for double precision.
  public func centralDifferences() throws {
    let method = try method()
    let parameters = try leaves(method, seed: 4, nudge: 0.1)
    let batches = try clip.batches(Self.tasks)
    let gradients = try method.step(parameters, batches).gradients
    for seed in 0..<3 {
      let direction = try gradients.mapTensors { path, tensor in
        try clip.normal(tensor.shape, seed: UInt64(1000 * seed + path.utf8.count))
      }
      func total(_ size: Double) throws -> Double {
        let moved = try parameters.mapTensors { path, tensor in
          try direction[path].map { try tensor.detached() + $0 * size } ?? tensor
        }
        return try method.objectives(moved, batches).reduce(0, +)
      }
      let slope = try (total(1e-6) - total(-1e-6)) / 2e-6
      let predicted = try gradients.paths.reduce(0.0) {
        $0 + (try (gradients.require($1) * direction.require($1)).sum().item())
      }
      try agree([predicted], [slope], "slope along direction \(seed)", within: Tolerance(1e-6), floor: 1e-6)
    }
  }

  /// The start is a pure function of the seed and the tasks' names.
  public func startIsPure() throws {
    let first = try method().initialParameters(seed: 5)
    try expect(first.differingPaths(from: method().initialParameters(seed: 5)).isEmpty, "one seed, two starts")
    let other = try method().initialParameters(seed: 6)
    try expect(first.paths == other.paths, "the paths depend on the seed")
    let fixed = try Set(first.paths).subtracting(first.differingPaths(from: other))
    try expect(
      fixed.allSatisfy { try isGiven(first.require($0)) }, "another seed gives the same numbers at \(fixed.sorted())")
    let permuted = try method(Array(Self.tasks.reversed())).initialParameters(seed: 5)
    try expect(
      Set(first.tensors.map { try $0.bytes() }) == Set(permuted.tensors.map { try $0.bytes() }),
      "the order of the tasks changes the start")
    let drawn = try first.tensors.filter { try !isGiven($0) }
    try expect(Set(drawn.map { try $0.bytes() }).count == drawn.count, "two parameters start alike")
  }

  /// Whether a start is no draw: a constant, or numbers of the backbone.
  private func isGiven(_ tensor: Tensor) throws -> Bool {
    let values = try tensor.doubles()
    if values.allSatisfy({ $0 == values.first }) { return true }
    if try clip.model.parameters.tensors.contains(where: { try $0.isIdentical(to: tensor) }) { return true }
    // Words: every row is that of some token.
    guard tensor.rank == 2, tensor.extent(1) == clip.model.configuration.text.width else { return false }
    let tokens = try clip.model.text.embeddings(of: (0..<Int32(clip.model.configuration.vocabularySize)).map { $0 })
    let known = try Set((0..<tokens.extent(0)).map { try tokens.select(0, $0).clone().bytes() })
    return try (0..<tensor.extent(0)).allSatisfy { known.contains(try tensor.select(0, $0).clone().bytes()) }
  }

  func expect(_ condition: @autoclosure () throws -> Bool, _ failure: String) throws {
    guard try condition() else { throw Disagreement("\(entry.descriptor.name): \(failure)") }
  }
}
