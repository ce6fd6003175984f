import Foundation

/// The steps and rates of one phase: a linear growth from zero, then half a cosine down to a share of the highest rate.
struct PhasePlan: Sendable {
  /// Which weights a phase trains, and by what.
  enum Kind: String, Codable, Sendable {
    /// The image tower, by attributes.
    case warmup
    /// Both towers, by captions.
    case contrastive

    /// What progress calls the phase.
    var title: String {
      switch self {
      case .warmup: "Warm-up on attributes"
      case .contrastive: "Contrastive training"
      }
    }
  }

  let kind: Kind
  let steps: Int
  let stepsPerEpoch: Int
  let highestRate: Double
  let growthShare: Double
  let floorShare: Double

  init(_ kind: Kind, settings: PretrainingSettings, stepsPerEpoch: Int) {
    let (epochs, fixed, rate) =
      switch kind {
      case .warmup: (settings.warmup.epochs, settings.warmup.steps, settings.warmup.learningRate)
      case .contrastive: (settings.contrastive.epochs, settings.contrastive.steps, settings.contrastive.learningRate)
      }
    self.kind = kind
    self.stepsPerEpoch = stepsPerEpoch
    steps = fixed ?? Int((epochs * Double(stepsPerEpoch)).rounded())
    highestRate = rate
    growthShare = settings.contrastive.warmupShare
    floorShare = settings.contrastive.minimumRateShare
  }

  /// The rate of step `step`, from 0.
  func rate(_ step: Int) -> Double {
    let growth = growthShare * Double(steps)
    if Double(step) < growth { return highestRate * Double(step + 1) / (growth + 1) }
    let share = (Double(step) - growth) / max(1, Double(steps) - growth)
    return highestRate * (floorShare + (1 - floorShare) * (1 + cos(.pi * share)) / 2)
  }
}
