import BanyanCLIP
public import BanyanFoundation
public import BanyanPrompts
import BanyanTensor
public import Foundation

extension MethodLaws {
  /// Classifiers have one unit row per class, also those that are not chosen.
  public func rowsAreUnit() throws {
    let method = try method()
    let classifiers = try method.classifiers(leaves(method))
    try expect(classifiers.count == Self.tasks.count, "one classifier per task")
    for (task, classifier) in zip(Self.tasks, classifiers) {
      for (name, weights) in classifier.combinations {
        try expect(
          weights.shape == [task.classNames.count, clip.model.configuration.projectionWidth],
          "\(name) of \(task.name) has shape \(weights.shape)")
        guard method.predictsByMatrix else { continue }
        try agree(
          weights.squared().sum([1]), .full([task.classNames.count], 1, dtype: clip.dtype),
          "norms of \(name) of \(task.name)", within: .at(.operation))
      }
      try expect(!classifier.weights().requiresGradient, "the classifier of \(task.name) keeps a graph")
    }
  }

  /// Another order of the class names permutes the rows and nothing else.
  public func classOrder() throws {
    let order = [2, 0, 3, 1]
    var permuted = Self.tasks
    for task in 0..<2 { permuted[task].classNames = order.map { permuted[task].classNames[$0] } }
    let (plain, other) = (try method(), try method(permuted))
    try expect(
      plain.initialParameters(seed: 1).differingPaths(from: other.initialParameters(seed: 1)).isEmpty,
      "the order of the classes changes the start")
    let batches = try clip.batches(Self.tasks)
    let inverse = (0..<4).map { order.firstIndex(of: $0) ?? 0 }
    let relabelled = try batches.map { batch in
      guard batch.task < 2 else { return batch }
      var batch = batch
      let labels = try batch.labels.integers().map { Int64(inverse[Int($0)]) }
      batch.labels = try Tensor(labels, shape: [labels.count])
      return batch
    }
    let start = try leaves(plain, batches: batches)
    let permutedStart = try leaves(other, batches: relabelled)
    let classifiers = (try plain.classifiers(start), try other.classifiers(permutedStart))
    for task in Self.tasks.indices {
      let expected = try classifiers.0[task].weights()
      let rows = task < 2 ? try expected.gathered(0, .indices(order)) : expected
      try agree(classifiers.1[task].weights(), rows, "rows of \(Self.tasks[task].name)", within: .shortcut)
    }
    let steps = (try plain.step(start, batches), try other.step(permutedStart, relabelled))
    try agree(steps.1.objectives, steps.0.objectives, "objectives", within: .shortcut)
    for path in steps.0.gradients.paths {
      var expected = try steps.0.gradients.require(path)
      // What has a row for each class, the head of a task, follows the classes.
      if ["tasks.0.head", "tasks.1.head", "tasks.0.bias", "tasks.1.bias"].contains(path) {
        expected = try expected.gathered(0, .indices(order))
      }
      try agree(steps.1.gradients.require(path), expected, "gradient of \(path)", within: .shortcut, floor: 1e-3)
    }
  }

  /// Another order of the tasks permutes objectives and classifiers and nothing else, over some steps.
  public func taskOrder() throws {
    let order = [2, 0, 1]
    let tasks = order.map { Self.tasks[$0] }
    func run(_ tasks: [PromptTask]) throws -> (objectives: [[Double]], weights: [Tensor]) {
      let method = try method(tasks)
      let batches = try clip.batches(tasks)
      let start = try method.prepared(method.initialParameters(seed: 2), training: batches, seed: 2)
      let run = try descend(method, from: start, batches: batches, steps: 4)
      return (run.objectives, try method.classifiers(run.parameters).map { try $0.weights() })
    }
    let (plain, other) = (try run(Self.tasks), try run(tasks))
    for (place, task) in order.enumerated() {
      let name = Self.tasks[task].name
      try agree(
        other.objectives.map { $0[place] }, plain.objectives.map { $0[task] }, "objectives of \(name)",
        within: .at(.training))
      try agree(other.weights[place], plain.weights[task], "classifier of \(name)", within: .at(.training))
    }
  }

  /// The backbone's bytes are the same after steps, and equal steps give equal bytes.
  public func backboneIsFrozen() throws {
    let before = try clip.model.parameters.snapshot()
    let method = try method()
    let batches = try clip.batches(Self.tasks)
    let start = try method.prepared(method.initialParameters(seed: 3), training: batches, seed: 3)
    let (trainable, constants) = try method.selection.split(start)
    let runs = try (0..<2).map { _ in try descend(method, from: start, batches: batches, steps: 3).parameters }
    let changed = try before.differingPaths(from: clip.model.parameters)
    try expect(changed.isEmpty, "training changed \(changed)")
    try expect(runs[0].differingPaths(from: runs[1]).isEmpty, "the same steps gave other bytes")
    let moved = try start.differingPaths(from: runs[0])
    let (still, other) = (Set(trainable.paths).subtracting(moved), Set(moved).intersection(constants.paths))
    try expect(still.isEmpty, "\(still.sorted()) did not move")
    try expect(other.isEmpty, "\(other.sorted()) are constants and moved")
  }

  /// Saved and loaded parameters give the same classifiers and go on with the same steps, to the bit.
  public func survivesFile(in folder: URL) throws {
    let method = try method()
    let batches = try clip.batches(Self.tasks)
    let start = try method.prepared(method.initialParameters(seed: 3), training: batches, seed: 3)
    let middle = try descend(method, from: start, batches: batches, steps: 2).parameters
    let url = folder.appending(path: "\(entry.descriptor.name).safetensors")
    try SafetensorsFile.write(middle, to: url)
    let loaded = try SafetensorsFile(contentsOf: url).tree()
    try expect(middle.differingPaths(from: loaded).isEmpty, "the file holds other numbers")
    for (a, b) in zip(try method.classifiers(middle), try method.classifiers(loaded)) {
      try expect(a.weights().isIdentical(to: b.weights()), "the loaded classifier differs")
    }
    let ends = try [middle, loaded].map { try descend(method, from: $0, batches: batches, steps: 2).parameters }
    try expect(ends[0].differingPaths(from: ends[1]).isEmpty, "the loaded parameters go on differently")
  }

  /// Class names in chunks give the objectives, gradients and classifiers that they give at once.
  public func chunksAgree(options: JSONValue = .object([:]), tasks: [PromptTask] = tasks) throws {
    let whole = try method(tasks, options: options)
    let parameters = try leaves(whole)
    let batches = try clip.batches(tasks)
    let expected = (try whole.step(parameters, batches), try whole.taskGradients(parameters, batches))
    for budget in [-1, 0, 1, 20_000, 70_000, 300_000, 1_500_000] {
      let method = try method(tasks, options: options, budget: budget)
      let outcomes = try [method.step(parameters, batches)] + method.taskGradients(parameters, batches)
      for (found, wanted) in zip(outcomes, [expected.0] + expected.1) {
        try agree(found.objectives, wanted.objectives, "objectives at \(budget) bytes", within: .shortcut)
        try expect(found.gradients.paths == wanted.gradients.paths, "other paths at \(budget) bytes")
        for path in wanted.gradients.paths {
          try agree(
            found.gradients.require(path), wanted.gradients.require(path), "gradient of \(path) at \(budget) bytes",
            within: .shortcut, floor: 1e-3)
        }
      }
      for (a, b) in zip(try method.classifiers(parameters), try whole.classifiers(parameters)) {
        try agree(a.weights(), b.weights(), "classifier at \(budget) bytes", within: .shortcut)
      }
    }
  }

  /// The described options are the keys of the defaults, and others are refused with a near name.
  public func optionsAreListed() throws {
    func leaves(_ value: JSONValue, _ path: String) -> [String] {
      guard case .object(let members) = value else { return [path] }
      return members.flatMap { leaves($1, path.isEmpty ? $0 : "\(path).\($0)") }
    }
    let keys = leaves(entry.defaults, "").sorted()
    let listed = entry.descriptor.options.map(\.key)
    try expect(listed.sorted() == keys, "the descriptor lists \(listed.sorted()), the defaults have \(keys)")
    try expect(Set(listed).count == listed.count, "an option is listed twice")
    try expect(entry.descriptor.options.allSatisfy { $0.help.hasSuffix(".") }, "a help text is no sentence")
    try expect(entry.resolve(.object([:])) == entry.defaults, "nothing set is not the defaults")
    for key in listed {
      let wrong = key + "x"
      let options = try Settings.overlay(assignment: "\(wrong)=1")
      do {
        _ = try entry.make(options, clip.context(Self.tasks))
        throw Disagreement("\(entry.descriptor.name): \(wrong) was taken for an option")
      } catch let error as BanyanError {
        let near = key.split(separator: ".").last.map(String.init) ?? key
        try expect(error.kind == .usage && error.subject.contains(wrong), "\(wrong) is not named: \(error)")
        try expect(error.remedy.contains(near), "\(near) is not suggested: \(error)")
      }
    }
  }
}
