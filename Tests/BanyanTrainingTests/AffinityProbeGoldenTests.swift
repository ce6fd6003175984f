import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Testing

/// The affinity of tasks as the program measures it, against plain PyTorch.
@Suite struct AffinityProbeGoldenTests {
  /// CoOp-MT that starts from a given context instead of a random one.
  private struct GivenStart: PromptMethod {
    static let descriptor = MethodDescriptor(name: "given", title: "given", summary: "", paper: "", options: [])
    static let defaults: [String: String] = [:]
    let inner: any PromptMethod
    let start: ParameterTree

    init(inner: any PromptMethod, start: ParameterTree) {
      self.inner = inner
      self.start = start
    }
    init(_ configuration: [String: String], context: MethodContext) throws {
      self.init(inner: try MethodCatalog.entry("coop-mt").make(.object([:]), context), start: ParameterTree())
    }
    var logitScale: Double { inner.logitScale }
    func initialParameters(seed: UInt64) throws -> ParameterTree { start }
    func objectives(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [Double] {
      try inner.objectives(parameters, batches)
    }
    func step(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> StepOutcome {
      try inner.step(parameters, batches)
    }
    func taskGradients(_ parameters: ParameterTree, _ batches: [TaskBatch]) throws -> [StepOutcome] {
      try inner.taskGradients(parameters, batches)
    }
    func classifiers(_ parameters: ParameterTree) throws -> [TaskClassifier] { try inner.classifiers(parameters) }
  }

  private func method(_ golden: Golden, budget: Int = 1 << 30) throws -> any PromptMethod {
    let tasks = try #require(try Golden.json("prompts/hipro")["tasks"]?.arrayValue).map { task in
      PromptTask(
        name: task["name"]?.stringValue ?? "",
        classNames: task["classNames"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
    let inner = try MethodCatalog.entry("coop-mt").make(.object([:]), TinyCLIP().context(tasks, budget: budget))
    return GivenStart(inner: inner, start: ParameterTree(["shared.context": try golden("affinity.context")]))
  }

  private func batches(_ golden: Golden) throws -> [TaskBatch] {
    try (0..<3).map { TaskBatch(task: $0, features: try golden("x.\($0)"), labels: try golden("labels.\($0)")) }
  }

  /// Plain gradient descent at the goldens' rate, on all pictures at once.
  private var training: TrainingSettings {
    var training = TrainingSettings()
    training.momentum = 0
    training.weightDecay = 0
    training.learningRate = 0.02
    training.batchSize = 12
    return training
  }

  @Test func `the gradients of the tasks equal PyTorch's, all from one forward pass`() throws {
    let golden = try Golden("prompts/hipro")
    let method = try method(golden)
    let start = try method.initialParameters(seed: 0).mapTensors { try $1.asParameter() }
    let outcomes = try method.taskGradients(start, batches(golden))
    let losses = try golden("affinity.step0.losses").doubles()
    try agree(outcomes.flatMap(\.objectives), losses, "affinity.step0.losses", within: .at(.tower))
    let gradients = try Tensor.stacked(outcomes.map { try $0.gradients.require("shared.context") })
    try agree(gradients, golden("affinity.step0.gradients"), "affinity.step0.gradients", within: .at(.gradient))
  }

  @Test(
    arguments: [
      (AffinitySettings.Kind.gradientCosine, "cosine"), (.centredGradientCosine, "centred_cosine"),
      (.gradientDot, "dot"), (.lookAhead, "look_ahead_symmetric"),
    ], [(1, "step0"), (3, "mean")])
  func `affinities equal PyTorch's, at one step and as the mean over the warm-up`(
    _ kind: (setting: AffinitySettings.Kind, golden: String), _ steps: (count: Int, golden: String)
  ) throws {
    let golden = try Golden("prompts/hipro")
    var settings = AffinitySettings()
    settings.kind = kind.setting
    settings.steps = steps.count
    for budget in [1 << 30, 20_000] {
      let matrix = try AffinityProbe(settings, training: training).measure(
        method(golden, budget: budget), data: batches(golden), names: ["photo", "sketch", "digit"], seed: 5)
      let key = "affinity.\(steps.golden).\(kind.golden)"
      try agree(matrix.values.flatMap(\.self), golden(key).doubles(), key, within: .at(.training))
    }
  }

  @Test func `recording every third step averages over those steps alone`() throws {
    let golden = try Golden("prompts/hipro")
    var settings = AffinitySettings()
    settings.steps = 3
    settings.recordEvery = 3
    let matrix = try AffinityProbe(settings, training: training).measure(
      method(golden), data: batches(golden), names: ["photo", "sketch", "digit"], seed: 5)
    try agree(
      matrix.values.flatMap(\.self), golden("affinity.step0.cosine").doubles(), "affinity.step0.cosine",
      within: .at(.training))
  }

  @Test func `centred cosines of two tasks are opposite, and equal gradients have nothing left to compare`() throws {
    let golden = try Golden("prompts/hipro")
    var settings = AffinitySettings()
    settings.kind = .centredGradientCosine
    settings.steps = 1
    let probe = AffinityProbe(settings, training: training)
    let data = try batches(golden)
    let two = try probe.measure(method(golden), data: Array(data[..<2]), names: ["photo", "sketch"], seed: 5)
    try agree(two.values.flatMap(\.self), [1, -1, -1, 1], "two tasks", within: .at(.training))
    let twins = try probe.measure(method(golden), data: [data[0], data[0]], names: ["photo", "twin"], seed: 5)
    #expect(twins.values == [[1, 0], [0, 1]])
  }

  @Test func `the raw look-ahead equals PyTorch's in both directions`() throws {
    let golden = try Golden("prompts/hipro")
    let method = try method(golden)
    let parameters = try method.initialParameters(seed: 0).mapTensors { try $1.asParameter() }
    let data = try batches(golden)
    var settings = AffinitySettings()
    settings.kind = .lookAhead
    let values = try AffinityProbe(settings, training: training).compare(
      method.taskGradients(parameters, data), method: method, parameters: parameters, batches: data)
    try agree(
      values.flatMap(\.self), golden("affinity.step0.look_ahead").doubles(), "affinity.step0.look_ahead",
      within: .at(.training))
    // It is directed: averaging it is a choice that the raw values must not anticipate.
    #expect(abs(values[0][2] - values[2][0]) > 1e-6)
  }
}
