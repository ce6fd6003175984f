import BanyanFoundation

/// What a task asks of a fixed probe network: one number for every filter of the probe.
///
/// ``AffinityMatrix`` compares tasks two at a time; an embedding stands alone, can be kept, and is compared with tasks and
/// models that come later. A filter is an output unit of a layer with all of its weights; its number is the Fisher
/// information of those weights, averaged over them, where the probe's final classifier was learned on the task:
///
///     F_f  = 1/n_f Σ_{w ∈ f} E_x E_{y ~ p(y|x)} (∂ log p(y|x) / ∂w)²
///     Λ_f  = F_f/β + λ²                          // the precision at which noise on the weights costs β nats a nat of it
///
/// `λ²` is the precision of each layer's prior, what a task that asks for nothing would have.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, arXiv:1902.03545.
public struct TaskEmbedding: Codable, Sendable, Equatable {
  /// A layer of the probe.
  public struct Layer: Codable, Sendable, Equatable {
    /// Its path in the probe.
    public var name: String
    /// How many filters it has.
    public var filters: Int
    /// `β λ²`: the prior, in the unit of Fisher information.
    public var prior: Double

    /// Describes a layer.
    public init(name: String, filters: Int, prior: Double) {
      self.name = name
      self.filters = filters
      self.prior = prior
    }
  }

  /// The task's name.
  public var task: String
  /// Which network with which weights; embeddings of different probes do not compare.
  public let probe: String
  /// How the information was estimated, in full; embeddings of different ways do not compare.
  public let estimator: String
  /// How many pictures the task has to learn from.
  public let samples: Int
  /// The probe's layers, from the pixels on.
  public let layers: [Layer]
  /// `F_f`, filter by filter in the order of the layers, none below zero.
  public let fisher: [Double]

  /// Creates an embedding from what was measured.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where the numbers are not one for every filter, or one is negative or
  ///   not finite, or a layer's prior is not positive.
  public init(
    task: String, probe: String, estimator: String, samples: Int, layers: [Layer], fisher: [Double]
  ) throws {
    self.task = task
    self.probe = probe
    self.estimator = estimator
    self.samples = samples
    self.layers = layers
    self.fisher = fisher
    try check()
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      task: values.decode(String.self, forKey: .task), probe: values.decode(String.self, forKey: .probe),
      estimator: values.decode(String.self, forKey: .estimator), samples: values.decode(Int.self, forKey: .samples),
      layers: values.decode([Layer].self, forKey: .layers), fisher: values.decode([Double].self, forKey: .fisher))
  }

  private func check() throws {
    var count = 0
    for layer in layers {
      guard layer.filters > 0, layer.filters < 1 << 32, layer.prior > 0, layer.prior.isFinite else {
        throw BanyanError(
          .malformed, at: "embedding of \(task): \(layer.name)",
          "expected filters and a positive prior, found \(layer.filters) and \(layer.prior)")
      }
      count += layer.filters
    }
    guard count > 0, fisher.count == count else {
      throw BanyanError(
        .malformed, at: "embedding of \(task)",
        "expected one number for each of \(count) filters, found \(fisher.count)")
    }
    guard let wrong = fisher.first(where: { !($0 >= 0 && $0.isFinite) }) else { return }
    throw BanyanError(
      .malformed, at: "embedding of \(task)", "expected finite numbers of zero or more, found \(wrong)")
  }

  /// `β Λ_f = F_f + β λ²`, filter by filter.
  public var precision: [Double] { zip(fisher, prior).map(+) }

  /// The trivial embedding: what a task without information has, `β λ²` filter by filter.
  public var prior: [Double] { layers.flatMap { [Double](repeating: $0.prior, count: $0.filters) } }

  /// `‖F‖₂`: how much the task asks of the probe; larger where there is more to learn, or more to learn it from.
  public var norm: Double { fisher.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
