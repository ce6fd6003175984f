public import BanyanFoundation

/// How a task becomes an embedding.
public struct EmbeddingSettings: Codable, Sendable, Equatable {
  /// How the Fisher information is estimated.
  public enum Estimator: String, NamedChoice {
    /// `E_x E_{y ~ p(y|x)} g²` with labels drawn from the model itself, gradients squared picture by picture.
    case monteCarlo = "monte-carlo"
    /// The precision at which noise on the weights is worth its price: looks at a neighbourhood of the weights, where the
    /// other looks at a point.
    case variational
  }

  /// How the Fisher information is estimated.
  public var estimator = Estimator.monteCarlo
  /// Pictures drawn, each class as often as the others, with replacement; of the variational one, an epoch.
  public var draws = 10_000
  /// Pictures at a time; a step of the variational one.
  public var batchSize = 8
  /// What a nat of the noise's divergence from the prior costs.
  public var beta = 1e-7
  /// Weight decay of the classifier that is put on the probe.
  public var weightDecay = 1e-4
  /// Epochs in which classifier and noise are learned together; variational only.
  public var epochs = 1
  /// Epochs in which the classifier is learned before; variational only.
  public var classifierEpochs = 2
  /// Rate of Adam for the classifier while it is learned alone; variational only.
  public var firstRate = 1e-3
  /// Rate of Adam for the classifier beside the noise; variational only.
  public var classifierRate = 1e-4
  /// Rate of Adam for the logarithms of precisions; variational only.
  public var precisionRate = 1e-2

  /// The defaults: 10,000 draws of Monte Carlo.
  public init() {}

  /// In words, with everything that makes embeddings differ in kind: what their `estimator` says.
  var description: String { "\(estimator.rawValue), β \(beta), weight decay \(weightDecay)" }

  func validate(at path: String = "embedding") throws {
    func check(_ key: String, _ value: Int, _ range: ClosedRange<Int>) throws {
      guard range.contains(value) else {
        throw BanyanError(
          .usage, at: "\(path).\(key)", "expected \(range.lowerBound) to \(range.upperBound), found \(value)")
      }
    }
    try check("draws", draws, 1...100_000_000)
    try check("batchSize", batchSize, 1...65_536)
    try check("epochs", epochs, 1...10_000)
    try check("classifierEpochs", classifierEpochs, 0...10_000)
    let numbers = [
      ("beta", beta), ("weightDecay", weightDecay), ("firstRate", firstRate), ("classifierRate", classifierRate),
      ("precisionRate", precisionRate),
    ]
    for (key, value) in numbers where !(value > 0 && value.isFinite) {
      throw BanyanError(.usage, at: "\(path).\(key)", "expected a positive number, found \(value)")
    }
  }
}
