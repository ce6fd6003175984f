import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// What must not matter: training touches no frozen weight, and the tasks' order changes nothing but the order.
@Suite(.serialized) struct FrozenAndPermutedTests {
  private let world: TrainingWorld
  private let bench: Workbench

  init() throws {
    world = try TrainingWorld.open()
    bench = try Workbench(model: TrainingWorld.model(), cache: world.cache)
    try Engine.setThreads(1)
  }

  private func batches() throws -> [String: TaskBatch] {
    let suite = try TaskSuite.load(world.pictures.root.path)
    return try Dictionary(
      uniqueKeysWithValues: suite.tasks.map { task in
        let samples = task.samples.enumerated().filter { $0.offset % 14 < 5 }.map(\.element)
        let features = try bench.extractor.features(
          of: samples.map { .init(url: suite.url(of: $0), sha256: $0.sha256) }
        ).features
        let pixels = try samples.map {
          try bench.extractor.pixels(of: ImageDecoder.decode(contentsOf: suite.url(of: $0)))
        }
        return (
          task.name,
          TaskBatch(
            task: 0, features: features, labels: try .indices(samples.map(\.label)),
            pictures: .init(PixelTensor(try .concatenated(pixels, axis: 0)), rows: Array(samples.indices)))
        )
      })
  }

  /// Classifiers by task after six steps, with the tasks in the order of `names`.
  ///
  /// - Parameter everythingMoves: AdamW, whose steps do not shrink with the gradients, in place of plain descent.
  private func train(
    _ method: String, _ names: [String], affinity: [String: [String: Double]], everythingMoves: Bool = false
  ) throws -> [String: [Float]] {
    let data = try batches()
    let classes = world.pictures.classes
    // The tasks have different lists, so that shared encodings are in play too.
    let tasks = names.map { name in
      PromptTask(name: name, classNames: name == "ink" ? classes.map { "drawn \($0)" } : classes)
    }
    let matrix = try AffinityMatrix.symmetrised(
      names: names, values: names.map { a in names.map { b in a == b ? 1 : affinity[min(a, b)]?[max(a, b)] ?? 0 } })
    let entry = try MethodCatalog.entry(method)
    let context = MethodContext(
      model: bench.model, tokenizer: bench.tokenizer, tasks: tasks,
      tree: try TaskTree(clustering: matrix, linkage: .average),
      groups: try TaskGroups(reading: [["chalk", "watercolour"], ["ink"]], names: names))
    // Small settings, by what the method can be asked.
    var options: [String: JSONValue] = [:]
    if entry.defaults["context"] != nil { options["context"] = .object(["length": .integer(3)]) }
    if entry.defaults["length"] != nil { options["length"] = .integer(2) }
    if entry.defaults["source"] != nil { options["source"] = .object(["steps": .integer(2)]) }
    let prompts = try entry.make(.object(options), context)
    let inputs = try names.enumerated().map { index, name in
      var batch = try #require(data[name])
      batch.task = index
      return batch
    }
    let initial = try prompts.prepared(prompts.initialParameters(seed: 3), training: inputs, seed: 3)
    let (trainable, constants) = try prompts.selection.split(initial)
    var parameters = try trainable.mapTensors { try $1.asParameter() }
    if parameters.count > 0 {
      let rule: Optimizer.Rule =
        everythingMoves
        ? .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-12, weightDecay: 0)
        : .sgd(momentum: 0.9, weightDecay: 0, nesterov: false)
      let rate = everythingMoves ? 0.001 : entry.defaults["context"] != nil ? 0.05 : 0.01
      let optimizer = try Optimizer(rule, parameters: parameters, rate: rate)
      for _ in 0..<6 {
        try optimizer.step(prompts.step(parameters.merging(constants), inputs).gradients, rate: rate)
      }
      let moved = try parameters.differingPaths(from: trainable)
      if everythingMoves {
        #expect(moved == trainable.paths, "\(Set(trainable.paths).subtracting(moved).sorted().prefix(4))")
      } else {
        #expect(!moved.isEmpty)
      }
    }
    parameters = try prompts.finished(parameters.merging(constants), training: inputs, validation: inputs, seed: 3)
    let classifiers = try prompts.classifiers(parameters)
    return try Dictionary(uniqueKeysWithValues: zip(names, classifiers).map { ($0, try $1.weights().floats()) })
  }

  private let affinity = ["chalk": ["ink": -0.2, "watercolour": 0.6], "ink": ["watercolour": 0.1]]

  @Test(arguments: MethodCatalog.entries.map(\.descriptor.name))
  func everyFrozenWeightIsBitForBitTheSameAfterTraining(_ method: String) throws {
    let before = try bench.frozenWeights.snapshot()
    _ = try train(method, world.pictures.tasks, affinity: affinity, everythingMoves: true)
    #expect(before.count > 50)
    #expect(try before.differingPaths(from: bench.frozenWeights).isEmpty)
    // A fresh reading of the checkpoint holds the same bits, so that nothing was changed before either.
    let fresh = try Workbench(model: TrainingWorld.model(), cache: nil).frozenWeights
    #expect(try before.differingPaths(from: fresh).isEmpty)
  }

  @Test(arguments: MethodCatalog.entries.map(\.descriptor.name))
  func permutingTheTasksPermutesTheClassifiers(_ method: String) throws {
    let reference = try train(method, ["chalk", "ink", "watercolour"], affinity: affinity)
    var largest: Float = 0
    for names in [["watercolour", "chalk", "ink"], ["ink", "watercolour", "chalk"], ["ink", "chalk", "watercolour"]] {
      let other = try train(method, names, affinity: affinity)
      for name in names {
        let (a, b) = (try #require(reference[name]), try #require(other[name]))
        #expect(a.count == b.count)
        largest = max(largest, zip(a, b).map { abs($0 - $1) }.max() ?? 1)
      }
    }
    #expect(largest < 2e-5, "\(method): \(largest)")
    // Without this, equal classifiers for all tasks would pass.
    let (first, second) = (try #require(reference["chalk"]), try #require(reference["ink"]))
    #expect((zip(first, second).map { abs($0 - $1) }.max() ?? 0) > 1e-3)
  }

  @Test func aTaskLearnedAloneOrBesideOthersIsTheSameUnderCoOp() throws {
    // Its names, samples and batches do not depend on who else is there.
    let (all, alone) = (world.place(), world.place())
    let together = try world.run(world.experiment("coop"), at: all)
    let single = try world.run(world.experiment("coop") { $0.data.only = ["watercolour"] }, at: alone)
    #expect(together.runs[0].split[2] == single.runs[0].split[0])
    let (a, b) = (try SavedPrompts(RunFolder(all), seed: 1), try SavedPrompts(RunFolder(alone), seed: 1))
    let gap = try zip(a.classifiers[2].floats(), b.classifiers[0].floats()).map { abs($0 - $1) }.max() ?? 1
    #expect(gap < 1e-5, "\(gap)")
    #expect(together.runs[0].tasks["watercolour"]?.top1 == single.runs[0].tasks["watercolour"]?.top1)
  }
}
