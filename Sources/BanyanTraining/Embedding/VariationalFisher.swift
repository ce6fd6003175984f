package import BanyanCLIP
import BanyanFoundation
package import BanyanTensor
import Foundation

/// The Fisher information of a probe's filters as the precision at which noise on them is worth its price.
///
///     L(Λ) = E_{w ~ N(ŵ, Λ⁻¹)} [H(w)] + β KL(N(ŵ, Λ⁻¹) ‖ N(0, λ⁻² I)),   smallest at Λ = H/β + λ² I
///
/// with one `Λ_f` for all weights of a filter and one `λ²` for all filters of a layer, both learned. Unlike
/// ``MonteCarloFisher`` it depends on the loss in a whole neighbourhood of the weights. Noise on weights is drawn as noise
/// on outputs, position by position: `y + ‖x‖ Λ_f^{-1/2} ε`. Where a filter is met at several positions this is noise that
/// differs from one to the next, so that `H` is what the positions ask of the filter one by one and not together. The supplement prints the optimum with a factor 2 on `H`, which
/// the loss above does not have.
/// Papers: Achille et al., ICCV 2019, supplement 6; Kingma et al., *Variational Dropout and the Local Reparameterization
/// Trick*, NeurIPS 2015, arXiv:1506.02557.
package struct VariationalFisher {
  private let network: any ProbeNetwork
  private let beta: Double
  private let layers: [Layer]

  private struct Layer {
    let layer: FilterLayer
    let meanSquare: Double
    /// Of a convolution: one filter of ones, [1, channels, kernel, kernel].
    let ones: Tensor?
  }

  package init(_ network: any ProbeNetwork, beta: Double) throws {
    self.network = network
    self.beta = beta
    layers = try network.filterLayers.map { layer in
      let shape = layer.weight.shape
      var ones: Tensor?
      if case .convolution = layer.kind {
        ones = try .full([1] + shape[1...], 1, dtype: layer.weight.dtype, device: layer.weight.device)
      }
      return Layer(
        layer: layer, meanSquare: max(1e-30, try layer.weight.to(.float64).squared().mean().item()), ones: ones)
    }
  }

  /// `log Λ` and `log λ²` of every layer where its information and its prior are as guessed.
  ///
  /// - Parameter guess: `F` of the filters and `β λ²` of every layer, such as a Monte Carlo estimate gives.
  package func start(_ guess: [(fisher: [Double], prior: Double)]) throws -> ParameterTree {
    guard guess.count == layers.count else {
      throw BanyanError(.failed, at: "task embedding", "expected a guess for each of \(layers.count) layers")
    }
    var tree = ParameterTree()
    for (own, guess) in zip(layers, guess) {
      let device = own.layer.weight.device
      // Noise as wide as the weights are large at most: beyond, nothing is left of what the probe knows.
      let least = 1 / own.meanSquare
      let prior = max(guess.prior / beta, 1e-6 * least)
      tree[Self.precision(own.layer)] = try Tensor(
        guess.fisher.map { Float(log(max($0 / beta + prior, least))) }, shape: [own.layer.filters], device: device)
      tree[Self.prior(own.layer)] = try .full([], log(prior), device: device)
    }
    return tree
  }

  /// The mean of parameters over the last steps, whose noise it takes out.
  package struct Tail {
    private var sum: ParameterTree?
    private var count = 0.0

    package init() {}

    package mutating func add(_ parameters: ParameterTree) throws {
      let own = try parameters.mapTensors { try $1.detached().to(.float64) }
      sum = try sum.map { sum in try own.mapTensors { try $1 + sum.require($0) } } ?? own
      count += 1
    }

    /// The mean; `nil` where nothing was added.
    package var mean: ParameterTree? {
      get throws { try sum?.mapTensors { try $1 * (1 / count) } }
    }
  }

  private static func precision(_ layer: FilterLayer) -> String { "precision.\(layer.name)" }
  private static func prior(_ layer: FilterLayer) -> String { "prior.\(layer.name)" }

  /// `KL(N(ŵ, Λ⁻¹) ‖ N(0, λ⁻² I))` over all weights of all layers: with `n` weights a filter,
  /// `½ Σ_f n (λ² (mean w² + 1/Λ_f) − 1 − log λ² + log Λ_f)`, where `mean w²` is the layer's.
  package func divergence(_ parameters: ParameterTree) throws -> Tensor {
    let parts = try layers.map { own in
      let precision = try parameters.require(Self.precision(own.layer))
      let prior = try parameters.require(Self.prior(own.layer))
      let spread = try ((-precision).exp() + own.meanSquare) * prior.exp()
      return try (spread - prior + precision + -1).sum() * (Double(own.layer.fanIn) / 2)
    }
    return try Tensor.stacked(parts).sum()
  }

  /// The features of pictures with noise on every filter.
  package func features(_ pixels: Tensor, _ parameters: ParameterTree, noise: EngineGenerator) throws -> Tensor {
    var place = 0
    return try network.features(pixels) { layer, input, output in
      let own = layers[place]
      place += 1
      guard own.layer.name == layer.name else {
        throw BanyanError(.failed, at: layer.name, "the probe's layers are not in the order that it says")
      }
      let deviation = try (parameters.require(Self.precision(layer)) * -0.5).exp()
      var squares: Tensor
      var spread = deviation
      switch layer.kind {
      case .linear: squares = try input.squared().sum([2], keepingAxes: true)  // [batch, positions, 1]
      case .convolution(_, let stride, let padding):
        guard let ones = own.ones else { throw BanyanError(.failed, at: layer.name, "has no window of ones") }
        // [batch, 1, rows, columns]
        squares = try input.squared().convolution2D(ones, stride: stride, padding: padding)
        spread = try deviation.reshaped([1, layer.filters, 1, 1])
      }
      // A root has no slope at zero, where an input is zero all over.
      squares = try (squares + 1e-12).sqrt()
      let drawn = try noise.normal(output.shape).to(device: output.device)
      return try output + squares * spread * drawn
    }
  }

  /// `β (Λ − λ²)`, none below zero, and `β λ²`, layer by layer.
  package func result(_ parameters: ParameterTree) throws -> [(fisher: [Double], prior: Double)] {
    try layers.map { own in
      let prior = try parameters.require(Self.prior(own.layer)).to(.float64).exp().item()
      let precisions = try parameters.require(Self.precision(own.layer)).to(.float64).exp().doubles()
      return (precisions.map { max(0, beta * ($0 - prior)) }, beta * prior)
    }
  }
}
