public import BanyanFoundation
import BanyanTensor
import Foundation

/// How prompts are learned: optimizer, schedule and stopping.
public struct TrainingSettings: Codable, Sendable, Equatable {
  /// Which rule of the engine.
  public enum OptimizerName: String, NamedChoice { case sgd, adamw }

  /// How the rate falls after the warm-up.
  public enum Decay: String, NamedChoice {
    /// `½ (1 + cos πx)` over the share `x` of the steps after the warm-up.
    case cosine
    /// `1 − x`.
    case linear
    /// 1.
    case constant
  }

  /// The rule.
  public var optimizer = OptimizerName.sgd
  /// The rate after the warm-up.
  public var learningRate = 0.002
  /// SGD's momentum.
  public var momentum = 0.9
  /// Whether SGD looks ahead.
  public var nesterov = false
  /// Weight decay; decoupled under AdamW.
  public var weightDecay = 5e-4
  /// AdamW's decay of the first moment.
  public var beta1 = 0.9
  /// AdamW's decay of the second moment.
  public var beta2 = 0.999
  /// What AdamW adds to the root of the second moment.
  public var epsilon = 1e-8
  /// Passes over the largest task.
  public var epochs = 50
  /// Pictures per task and step.
  public var batchSize = 32
  /// Passes at the warm-up rate.
  public var warmupEpochs = 1
  /// The rate of the warm-up.
  public var warmupRate = 1e-5
  /// How the rate falls.
  public var decay = Decay.cosine
  /// `ρ`: how far each task's parameters are moved uphill before its gradient is taken; `null` takes it where they are.
  @Nullable public var sharpness: Double?
  /// How the tasks' gradients become one step, for parameters that several tasks share.
  public var aggregate = GradientAggregation.sum
  /// `c` of `cagrad`: how far from the mean gradient the step may be, as a share of its length.
  public var conflictRadius = 0.5
  /// Stops after so many epochs without a lower validation loss and keeps the best prompts; `null` never stops.
  @Nullable public var earlyStopping: Int?

  /// The defaults: SGD as CoOp's, 50 epochs.
  public init() {}

  /// The engine's rule.
  var rule: Optimizer.Rule {
    switch optimizer {
    case .sgd: .sgd(momentum: momentum, weightDecay: weightDecay, nesterov: nesterov)
    case .adamw: .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
    }
  }

  /// The rate of step `step` (from 0) where an epoch has `stepsPerEpoch` steps.
  public func rate(step: Int, stepsPerEpoch: Int) -> Double {
    let warm = warmupEpochs * stepsPerEpoch
    guard step >= warm else { return warmupRate }
    let share = Double(step - warm) / Double(max(1, epochs * stepsPerEpoch - warm))
    switch decay {
    case .cosine: return learningRate * (1 + cos(.pi * share)) / 2
    case .linear: return learningRate * (1 - share)
    case .constant: return learningRate
    }
  }

  func validate() throws {
    func positive(_ value: Double, _ key: String, orZero: Bool = false) throws {
      // The engine's numbers are single precision.
      guard value <= Double(Float.greatestFiniteMagnitude), value > 0 || (orZero && value == 0) else {
        throw BanyanError(.usage, at: "training.\(key)", "expected a positive number below 3e38, found \(value)")
      }
    }
    func share(_ value: Double, _ key: String) throws {
      guard value >= 0, value < 1 else {
        throw BanyanError(.usage, at: "training.\(key)", "expected 0 to below 1, found \(value)")
      }
    }
    try positive(learningRate, "learningRate")
    try positive(warmupRate, "warmupRate", orZero: true)
    try positive(weightDecay, "weightDecay", orZero: true)
    try positive(epsilon, "epsilon")
    if let sharpness { try positive(sharpness, "sharpness") }
    try share(conflictRadius, "conflictRadius")
    try share(momentum, "momentum")
    try share(beta1, "beta1")
    try share(beta2, "beta2")
    if nesterov && momentum == 0 {
      throw BanyanError(.usage, at: "training.nesterov", "needs a momentum above 0")
    }
    guard (1...1_000_000).contains(epochs) else {
      throw BanyanError(.usage, at: "training.epochs", "expected at least 1, found \(epochs)")
    }
    guard (1...1_000_000).contains(batchSize) else {
      throw BanyanError(.usage, at: "training.batchSize", "expected at least 1, found \(batchSize)")
    }
    guard (0...epochs).contains(warmupEpochs) else {
      throw BanyanError(.usage, at: "training.warmupEpochs", "expected 0 to \(epochs), found \(warmupEpochs)")
    }
    if let earlyStopping, earlyStopping < 1 {
      throw BanyanError(.usage, at: "training.earlyStopping", "expected at least 1, found \(earlyStopping)")
    }
  }
}
