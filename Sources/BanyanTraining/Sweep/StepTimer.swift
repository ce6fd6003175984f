import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTasks
import BanyanTensor
import Foundation
import Synchronization

/// Estimates how long an experiment takes from one step of its method on made-up pictures.
///
/// Where ``SweepEstimator/records(_:)`` scales what earlier runs took, this one measures: the class names, the number of tasks
/// and the size of a step are the experiment's own, pictures are noise, and methods that train through the image tower see few
/// of them a task. Seconds grow with pictures, so that
///
///     seeds · ((steps + affinity steps) · t(step) · pictures / timed + t(evaluation))
///
/// Reading pictures and features that no cache holds come on top.
public final class StepTimer: Sendable {
  private struct Stage {
    let bench: Workbench
    let suite: TaskSuite
  }

  // Models and tasks are the same for most runs of a sweep.
  private let stages = Mutex<[String: Stage]>([:])

  /// A timer that knows nothing yet.
  public init() {}

  /// The timer as a source of estimates.
  public var estimator: SweepEstimator { SweepEstimator { try self.seconds($0) } }

  /// The seconds of `experiment`; `nil` where its tasks or its checkpoint are not there.
  public func seconds(_ experiment: Experiment) throws -> Double? {
    guard let stage = try? stage(of: experiment), let seed = experiment.seeds.first else { return nil }
    let split = try stage.suite.split(
      SamplingPlan(amount: experiment.samples, validationShots: experiment.validationShots, seed: seed))
    let entry = try MethodCatalog.entry(experiment.method)
    let structure = try entry.structure(experiment.options)
    let context = try experiment.structured(
      MethodContext(
        model: stage.bench.model, tokenizer: stage.bench.tokenizer,
        tasks: try split.map { PromptTask(try stage.suite.task(named: $0.task)) },
        encodingPath: experiment.encodingPath, imagePath: experiment.imagePath
      ),
      for: structure, affinity: nil, seed: seed)
    let method = try entry.make(experiment.options, context)
    let batchSize = experiment.training.batchSize
    let wanted = split.map { min(batchSize, $0.train.count) }
    let batches = try zip(wanted, context.tasks).enumerated().map { index, pair in
      try noise(
        task: index, rows: max(1, method.readsPixels ? min(2, pair.0) : pair.0), classes: pair.1.classNames.count,
        configuration: stage.bench.model.configuration)
    }
    let scale = Double(wanted.reduce(0, +)) / Double(max(1, batches.reduce(0) { $0 + $1.count }))
    let (start, preparation) = try timed {
      try method.prepared(method.initialParameters(seed: seed), training: batches, seed: seed)
    }
    let (trainable, constants) = try method.selection.split(start)
    let leaves = try trainable.mapTensors { try $1.asParameter() }
    let parameters = leaves.merging(constants)
    var step = 0.0
    if !trainable.tensors.isEmpty {
      let descent = DescentStep(method: method, settings: experiment.training, constants: constants, seed: seed)
      _ = try descent.outcome(leaves, batches, number: 0)
      step = try timed { try descent.outcome(leaves, batches, number: 1) }.seconds * scale
    }
    let (classifiers, encoding) = try timed { try method.classifiers(parameters) }
    let prediction = try timed {
      try Engine.withoutGradients {
        for batch in batches { _ = try method.logits(parameters, batch, classifiers[batch.task].weights()).doubles() }
      }
    }.seconds
    let largest = split.map { ($0.train.count + batchSize - 1) / batchSize }.max() ?? 1
    let compared = experiment.measuresAffinity(for: structure) ? experiment.affinity.steps : 0
    let steps = Double(experiment.training.epochs * largest + compared)
    let pictures = Double(split.reduce(0) { $0 + $1.test.count + 2 * $1.train.count })
    let evaluation = 2 * encoding + prediction * pictures / Double(max(1, batches.reduce(0) { $0 + $1.count }))
    return Double(experiment.seeds.count) * (preparation * scale + steps * step + evaluation)
  }

  private func stage(of experiment: Experiment) throws -> Stage {
    let key =
      "\(experiment.model)\n\(experiment.tasks)\n\(experiment.device.rawValue)\n\(experiment.precision.rawValue)"
      + "\n\(experiment.imagePath.rawValue)"
    if let known = stages.withLock({ $0[key] }) { return known }
    if let threads = experiment.threads { try Engine.setThreads(threads) }
    let stage = Stage(
      bench: try Workbench(
        model: EmbeddedCheckpoint.resolve(experiment.model), device: experiment.device,
        precision: experiment.precision, imagePath: experiment.imagePath, cache: nil),
      suite: try TaskSuite.load(experiment.tasks, options: experiment.loadingOptions))
    stages.withLock { $0[key] = stage }
    return stage
  }

  private func noise(task: Int, rows: Int, classes: Int, configuration: CLIPConfiguration) throws -> TaskBatch {
    var generator = SeededGenerator(seed: UInt64(task), label: "pictures for timing")
    let features = try Tensor.normal([rows, configuration.projectionWidth], generator: &generator).normalized()
    let side = configuration.imageSize
    return TaskBatch(
      task: task, features: features, labels: try .indices((0..<rows).map { $0 % classes }),
      pictures: .init(
        PixelTensor(try .normal([rows, 3, side, side], generator: &generator)), rows: Array(0..<rows)))
  }

  private func timed<Result>(_ body: () throws -> Result) rethrows -> (result: Result, seconds: Double) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    return (result, (clock.now - start) / .seconds(1))
  }
}
