import BanyanCLIP
import BanyanFoundation
public import BanyanPrompts
public import BanyanStructure
import BanyanTensor
import Foundation

/// Makes an embedding of a task: a classifier is put on a fixed probe, and what it asks of the probe's filters is measured.
///
/// ``AffinityProbe`` compares tasks by the gradients of one prompt that all of them share; here every task is looked at on
/// its own, with labels of any number and kind.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, arXiv:1902.03545.
public struct Task2Vec: Sendable {
  /// A task to embed.
  public struct Subject: Sendable {
    /// Its name.
    public var name: String
    /// Its pictures: rows of a source of the probe's pixels.
    public var pictures: TaskBatch.Pictures
    /// One label a picture.
    public var labels: [Int]
    /// How many classes there are.
    public var classes: Int
    /// What its draws are seeded with beside the seed; a digest of its pictures gives the same under any name.
    public var identity: String

    /// Describes a task; draws are seeded with its name where no `identity` is given.
    public init(
      name: String, pictures: TaskBatch.Pictures, labels: [Int], classes: Int, identity: String? = nil
    ) {
      (self.name, self.pictures, self.labels, self.classes) = (name, pictures, labels, classes)
      self.identity = identity ?? name
    }
  }

  private let probe: Probe
  private let settings: EmbeddingSettings

  /// Prepares the measurement.
  ///
  /// - Throws: A `BanyanError` of kind `usage` for a setting out of range.
  public init(_ probe: Probe, _ settings: EmbeddingSettings = EmbeddingSettings()) throws {
    try settings.validate()
    self.probe = probe
    self.settings = settings
  }

  /// The embedding of `task`.
  ///
  /// - Parameters:
  ///   - task: Its pictures and labels.
  ///   - seed: Of the pictures, labels and noise that are drawn.
  ///   - progress: Called with the pictures done and the pictures in all.
  ///   - shouldStop: Asked before every batch.
  public func embed(
    _ task: Subject, seed: UInt64, progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
  ) throws -> TaskEmbedding {
    guard !task.labels.isEmpty, task.labels.count == task.pictures.rows.count,
      task.labels.allSatisfy((0..<task.classes).contains)
    else {
      throw BanyanError(
        .usage, at: "task \(task.name)",
        "expected a label of \(task.classes) classes for every picture, and pictures to learn from")
    }
    guard Set(task.labels).count > 1 else {
      throw BanyanError(
        .usage, at: "task \(task.name)", "expected pictures of two classes or more, found one",
        remedy: "Where nothing is to be told apart nothing is asked of a probe.")
    }
    func stopping() throws {
      if shouldStop() { throw BanyanError(.interrupted, at: "embedding of \(task.name)", "stopped") }
    }
    let features = try self.features(task, stopping: stopping)
    let measured: [(fisher: [Double], prior: Double)]
    switch settings.estimator {
    case .monteCarlo:
      measured = try monteCarlo(task, features, seed: seed, progress: progress, stopping: stopping)
    case .variational:
      measured = try variational(task, features, seed: seed, progress: progress, stopping: stopping)
    }
    return try TaskEmbedding(
      task: task.name, probe: probe.name, estimator: settings.description, samples: task.labels.count,
      layers: zip(probe.network.filterLayers, measured).map {
        .init(name: $0.name, filters: $0.filters, prior: $1.prior)
      }, fisher: measured.flatMap(\.fisher))
  }

  /// The probe's features of all pictures.  // [pictures, width]
  private func features(_ task: Subject, stopping: () throws -> Void) throws -> Tensor {
    try Engine.withoutGradients {
      try Tensor.concatenated(
        stride(from: 0, to: task.labels.count, by: settings.batchSize).map { start in
          try stopping()
          let end = min(start + settings.batchSize, task.labels.count)
          return try probe.network.features(pixels(task, Array(start..<end))) { _, _, output in output }
        }, axis: 0)
    }
  }

  private func pixels(_ task: Subject, _ places: [Int]) throws -> Tensor {
    try task.pictures.source.pixels(places.map { task.pictures.rows[$0] })
  }

  private func monteCarlo(
    _ task: Subject, _ features: Tensor, seed: UInt64, progress: (Int, Int) -> Void, stopping: () throws -> Void
  ) throws -> [(fisher: [Double], prior: Double)] {
    let head = try ProbeHead.converged(
      features, labels: task.labels, classes: task.classes, weightDecay: settings.weightDecay)
    return try monteCarlo(task, head, draws: settings.draws, seed: seed, progress: progress, stopping: stopping)
  }

  private func monteCarlo(
    _ task: Subject, _ head: ProbeHead, draws: Int, seed: UInt64, progress: (Int, Int) -> Void,
    stopping: () throws -> Void
  ) throws -> [(fisher: [Double], prior: Double)] {
    let meter = MonteCarloFisher(network: probe.network, head: head)
    var pictures = BalancedDraws(labels: task.labels, seed: seed, label: "pictures of \(task.identity)")
    var labels = SeededGenerator(seed: seed, label: "labels of \(task.identity)")
    var sums: [[Double]] = []
    var done = 0
    while done < draws {
      try stopping()
      let rows = min(settings.batchSize, draws - done)
      let part = try meter.sums(pixels(task, pictures.next(rows)), generator: &labels)
      sums = sums.isEmpty ? part : zip(sums, part).map { zip($0, $1).map(+) }
      done += rows
      progress(done, draws)
    }
    return try zip(probe.network.filterLayers, sums).map { layer, sums in
      let fisher = sums.map { $0 / Double(draws) }
      let meanSquare = try layer.weight.to(.float64).squared().mean().item()
      return (fisher, FisherPrior.precision(fisher, meanSquare: meanSquare, beta: settings.beta))
    }
  }

  /// From so many draws of Monte Carlo the variational estimator starts.
  private static let firstDraws = 1000

  private func variational(
    _ task: Subject, _ features: Tensor, seed: UInt64, progress: (Int, Int) -> Void, stopping: () throws -> Void
  ) throws -> [(fisher: [Double], prior: Double)] {
    let meter = try VariationalFisher(probe.network, beta: settings.beta)
    var draws = BalancedDraws(labels: task.labels, seed: seed, label: "pictures of \(task.identity)")
    let scale = try ProbeHead.scale(of: features)
    var classifier = ParameterTree()
    let device = features.device
    classifier["weight"] = try Tensor.zeros([task.classes, features.extent(1)], device: device).asParameter()
    classifier["bias"] = try Tensor.zeros([task.classes], device: device).asParameter()
    func head() throws -> ProbeHead {
      try ProbeHead(scale: scale, weight: classifier.require("weight"), bias: classifier.require("bias"))
    }
    func loss(_ features: Tensor, _ places: [Int]) throws -> Tensor {
      try head().logits(features).crossEntropy(.indices(places.map { task.labels[$0] }, device: device))
    }
    let firstSteps = settings.classifierEpochs * ((settings.draws + settings.batchSize - 1) / settings.batchSize)
    let steps = settings.epochs * ((settings.draws + settings.batchSize - 1) / settings.batchSize)
    let rule = Optimizer.Rule.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    func decayed(_ gradients: [Tensor]) throws -> ParameterTree {
      var tree = ParameterTree()
      for (path, gradient) in zip(classifier.paths, gradients) {
        // Weight decay as part of the loss, as Adam had it first.
        tree[path] =
          path == "weight"
          ? try Engine.withoutGradients { try gradient + classifier.require(path).detached() * settings.weightDecay }
          : gradient
      }
      return tree
    }
    let first = try Optimizer(rule, parameters: classifier, rate: settings.firstRate)
    for _ in 0..<firstSteps {
      try stopping()
      let places = draws.next(settings.batchSize)
      let loss = try loss(features.gathered(0, .indices(places, device: device)), places)
      try first.step(decayed(Gradients.of([loss], with: classifier.tensors)), rate: settings.firstRate)
    }
    var stream = SeededGenerator(seed: seed, label: "noise of \(task.identity)")
    let noise = try EngineGenerator(seed: stream.next())
    // Where noise begins far from what it costs, hundreds of steps go by before it says anything of the task.
    let start = try monteCarlo(
      task, head().detached(), draws: min(settings.draws, Self.firstDraws), seed: seed, progress: { _, _ in },
      stopping: stopping)
    let precisions = try meter.start(start).mapTensors { try $1.asParameter() }
    var tail = VariationalFisher.Tail()
    let second = try Optimizer(rule, parameters: classifier, rate: settings.classifierRate)
    let third = try Optimizer(rule, parameters: precisions, rate: settings.precisionRate)
    for step in 0..<steps {
      try stopping()
      let places = draws.next(settings.batchSize)
      let noisy = try meter.features(pixels(task, places), precisions, noise: noise)
      let total = try loss(noisy, places) + meter.divergence(precisions) * settings.beta
      let gradients = try Gradients.of([total], with: classifier.tensors + precisions.tensors)
      try second.step(decayed(Array(gradients.prefix(classifier.count))), rate: settings.classifierRate)
      var tree = ParameterTree()
      for (path, gradient) in zip(precisions.paths, gradients.dropFirst(classifier.count)) { tree[path] = gradient }
      try third.step(tree, rate: settings.precisionRate)
      if 2 * step >= steps { try tail.add(precisions) }
      progress((step + 1) * settings.batchSize, steps * settings.batchSize)
    }
    return try meter.result(try tail.mean ?? precisions)
  }
}
