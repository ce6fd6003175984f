import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

@Suite struct FisherTests {
  private func normal(_ shape: [Int], _ seed: UInt64, deviation: Double = 1) throws -> Tensor {
    var generator = SeededGenerator(seed: seed, label: "fisher")
    return try Tensor.normal(shape, deviation: deviation, generator: &generator).to(.float64)
  }

  /// `F = E[(y − p)² S ⊗ x xᵀ]` with `S = w wᵀ ⊙ z zᵀ ⊙ (1 − z)(1 − z)ᵀ`, against outer products of the engine's gradients.
  @Test func `the two-layer network's information is a Kronecker product`() throws {
    let (hidden, inputs, rows) = (4, 3, 5)
    let u = try normal([hidden, inputs], 1)
    let w = try normal([hidden], 2)
    let x = try normal([rows, inputs], 3)
    let size = hidden * inputs
    var brute = [[Double]](repeating: [Double](repeating: 0, count: size + hidden), count: size + hidden)
    var formula = brute
    for row in 0..<rows {
      let own = try x.narrowed(0, start: row, length: 1)
      let (p1, p2) = (try u.asParameter(), try w.asParameter())
      let z = try own.matmul(p1.transposed()).sigmoid()  // [1, hidden]
      let logit = try z.matmul(p2.reshaped([hidden, 1]))
      let p = try logit.detached().sigmoid().item()
      for y in [0.0, 1.0] {
        let g = try Gradients.of(
          [logit], cotangents: [.full([1, 1], p - y, dtype: .float64)], with: [p1, p2], retainingGraph: true)
        let flat = try g[0].doubles() + g[1].doubles()
        let chance = y == 1 ? p : 1 - p
        for i in flat.indices { for j in flat.indices { brute[i][j] += chance * flat[i] * flat[j] / Double(rows) } }
      }
      let (zs, ws, xs) = (try z.detached().doubles(), try w.doubles(), try own.doubles())
      let slope = zs.indices.map { ws[$0] * zs[$0] * (1 - zs[$0]) }
      let variance = p * (1 - p) / Double(rows)
      for k in 0..<hidden {
        for l in 0..<hidden {
          for i in 0..<inputs {
            for j in 0..<inputs {
              formula[k * inputs + i][l * inputs + j] += variance * slope[k] * slope[l] * xs[i] * xs[j]
            }
            // The block between the layers, with the factor w_k that the supplement leaves out.
            formula[k * inputs + i][size + l] += variance * zs[l] * slope[k] * xs[i]
            formula[size + l][k * inputs + i] += variance * zs[l] * slope[k] * xs[i]
          }
          formula[size + k][size + l] += variance * zs[k] * zs[l]
        }
      }
    }
    try agree(formula.flatMap { $0 }, brute.flatMap { $0 }, "information", within: Tolerance(1e-8))
    // What the estimator gives where every label is taken once and counts as much as it is likely.
    let network = SigmoidProbeNetwork(weight: u)
    let head = ProbeHead(
      scale: 1,
      weight: try Tensor.concatenated([.zeros([1, hidden], dtype: .float64), w.reshaped([1, hidden])], axis: 0),
      bias: try .zeros([2], dtype: .float64))
    let meter = MonteCarloFisher(network: network, head: head)
    let pixels = try x.reshaped([rows, 3, 1, 1])
    var found = [Double](repeating: 0, count: hidden)
    for label in 0..<2 {
      let part = try meter.sums(pixels) { chances, _ in
        (0..<rows).map { .init(label: label, weight: chances[2 * $0 + label]) }
      }
      found = zip(found, part[0]).map { $0 + $1 / Double(rows) }
    }
    let traces = (0..<hidden).map { k in
      (0..<inputs).reduce(0.0) { $0 + formula[k * inputs + $1][k * inputs + $1] } / Double(inputs)
    }
    try agree(found, traces, "estimate", within: Tolerance(1e-6))
  }

  @Test func `where the classifier is sure, seeds agree all the same`() throws {
    // Four pictures of a class that are told apart by far: a drawn label is nearly never another.
    let network = LinearProbeNetwork(weight: try normal([6, 12], 20, deviation: 0.3).to(.float32))
    let pixels = try normal([12, 3, 2, 2], 21, deviation: 3).to(.float32)
    let labels = (0..<12).map { $0 % 3 }
    let features = try network.features(pixels) { _, _, output in output }
    let head = try ProbeHead.converged(features, labels: labels, classes: 3, weightDecay: 1e-5)
    let chances = try head.logits(features).softmax().doubles()
    let sure = labels.indices.map { chances[$0 * 3 + labels[$0]] }
    #expect((sure.min() ?? 0) > 0.9)
    let meter = MonteCarloFisher(network: network, head: head)
    func estimate(_ seed: UInt64) throws -> [Double] {
      var generator = SeededGenerator(seed: seed, label: "sure")
      var sums = [Double](repeating: 0, count: 6)
      for _ in 0..<40 { sums = zip(sums, try meter.sums(pixels, generator: &generator)[0]).map(+) }
      return sums
    }
    // Exactly: every label once, as much as it is likely.
    var exact = [Double](repeating: 0, count: 6)
    for label in 0..<3 {
      let part = try meter.sums(pixels) { chances, _ in
        (0..<12).map { .init(label: label, weight: chances[3 * $0 + label]) }
      }
      exact = zip(exact, part[0]).map { $0 + 40 * $1 }
    }
    for seed in 1...3 {
      for (found, exact) in zip(try estimate(UInt64(seed)), exact) { #expect(abs(found - exact) < 0.35 * exact) }
    }
  }

  @Test(arguments: [FilterSquares.Way.gradients, .positions, nil])
  func `squares are those of each picture's own gradient`(way: FilterSquares.Way?) throws {
    let network = MixedProbeNetwork(convolution: try normal([5, 3, 3, 3], 4), linear: try normal([7, 5], 5))
    let pixels = try normal([4, 3, 8, 8], 6)
    let cotangent = try normal([4, 7], 7)
    var seen: [(layer: FilterLayer, input: Tensor, output: Tensor)] = []
    let features = try network.features(pixels) { layer, input, output in
      let output = seen.isEmpty ? try output.asParameter() : output
      seen.append((layer, input, output))
      return output
    }
    let outputs = try Gradients.of([features], cotangents: [cotangent], with: seen.map(\.output))
    let found = try zip(seen, outputs).map {
      try FilterSquares.perPicture($0.layer, input: $0.input, cotangent: $1, way: way)
    }
    for row in 0..<4 {
      var own = network
      own.convolution = try network.convolution.asParameter()
      own.linear = try network.linear.asParameter()
      let y = try own.features(pixels.narrowed(0, start: row, length: 1)) { _, _, output in output }
      let gradients = try Gradients.of(
        [y], cotangents: [cotangent.narrowed(0, start: row, length: 1)], with: [own.convolution, own.linear])
      for (place, gradient) in gradients.enumerated() {
        let filters = gradient.extent(0)
        let expected = try gradient.reshaped([filters, gradient.count / filters]).squared().mean([1])
        try agree(
          found[place].select(0, row), expected, "layer \(place), picture \(row)", within: .at(.gradient, .float64))
      }
    }
  }

  @Test func `what all positions have in common does not drown what tells them apart`() throws {
    // As with attention's keys: cotangents that add up to nothing, inputs far from zero, single precision.
    let layer = FilterLayer(name: "keys", kind: .linear, weight: try .zeros([5, 8]))
    let inputs = try (normal([2, 20, 8], 30) + 300).to(.float32)
    let raw = try normal([2, 20, 5], 31)
    let cotangent = try raw - raw.mean([1], keepingAxes: true)
    let exact = try FilterSquares.perPicture(
      layer, input: inputs.to(.float64), cotangent: cotangent.to(.float32).to(.float64), way: .gradients)
    for way in [FilterSquares.Way.gradients, .positions] {
      let found = try FilterSquares.perPicture(layer, input: inputs, cotangent: cotangent.to(.float32), way: way)
      try agree(found.to(.float64), exact, "\(way)", within: Tolerance(2e-3))
    }
  }

  @Test func `labels drawn from the model give the exact information of a logistic regression`() throws {
    let (filters, inputs, rows) = (3, 12, 24)
    let network = LinearProbeNetwork(weight: try normal([filters, inputs], 8, deviation: 0.4))
    let head = ProbeHead(scale: 1, weight: try normal([2, filters], 9), bias: try normal([2], 10))
    let pixels = try normal([rows, 3, 2, 2], 11)
    // Exactly: the difference of logits is linear in a filter, with slope h = W₁ − W₀.
    let features = try network.features(pixels) { _, _, output in output }
    let chances = try head.logits(features).softmax().doubles()
    let slopes = try zip(head.weight.select(0, 1).doubles(), head.weight.select(0, 0).doubles()).map(-)
    let x = try pixels.doubles()
    let exact = slopes.map { slope in
      (0..<rows).reduce(0.0) { sum, row in
        let square = x[row * inputs..<(row + 1) * inputs].reduce(0) { $0 + $1 * $1 } / Double(inputs)
        return sum + chances[2 * row] * chances[2 * row + 1] * slope * slope * square / Double(rows)
      }
    }
    var draws = BalancedDraws(labels: (0..<rows).map { $0 % 2 }, seed: 3, label: "test")
    var labels = SeededGenerator(seed: 4, label: "test")
    let meter = MonteCarloFisher(network: network, head: head)
    var sums = [Double](repeating: 0, count: filters)
    for _ in 0..<200 {
      let part = try meter.sums(pixels.gathered(0, .indices(draws.next(100))), generator: &labels)
      sums = zip(sums, part[0]).map(+)
    }
    for (sum, exact) in zip(sums, exact) { #expect(abs(sum / 20_000 - exact) < 0.03 * exact) }
  }

  @Test func `noise settles where its price is its worth, at H over beta plus the prior`() throws {
    let (count, rows, beta) = (6, 32, 1e-4)
    let weights = (0..<count).map { [0.8, -0.5, 1.2, 0.3, -0.9, 0.6][$0] }
    let network = SeparateProbeNetwork(weights: weights)
    var generator = SeededGenerator(seed: 5, label: "pixels")
    // Two of the weights are asked so little that the prior has its share in their optimum.
    let scales = try Tensor([1, 0.03, 1, 1, 0.04, 1] as [Double], shape: [1, 6])
    let pixels = try (Tensor.normal([rows, 6], generator: &generator).to(.float64) * scales).reshaped([rows, 3, 1, 2])
    let head = ProbeHead(
      scale: 1, weight: try Tensor((0..<2).flatMap { label in weights.map { _ in Double(label) } }, shape: [2, count]),
      bias: try .zeros([2], dtype: .float64))
    let features = try network.features(pixels) { _, _, output in output }
    let chances = try head.logits(features).softmax().doubles()
    let x = try pixels.doubles()
    let curvature = (0..<count).map { place in
      (0..<rows).reduce(0.0) { sum, row in
        sum + chances[2 * row] * chances[2 * row + 1] * x[row * count + place] * x[row * count + place] / Double(rows)
      }
    }
    let meter = try VariationalFisher(network, beta: beta)
    let noise = try EngineGenerator(seed: 6)
    // From far off in both directions.
    let parameters = try meter.start(
      weights.indices.map { ([curvature[$0] * ($0 % 2 == 0 ? 4 : 0.3)], beta / (weights[$0] * weights[$0])) }
    ).mapTensors { try $1.to(.float64).asParameter() }
    var tail = VariationalFisher.Tail()
    let rule = Optimizer.Rule.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    let optimizer = try Optimizer(rule, parameters: parameters, rate: 0.01)
    // Many draws of noise for every picture, so that the optimum and not the noise of its search is seen.
    let many = try Tensor.concatenated([Tensor](repeating: pixels, count: 256), axis: 0)
    let steps = 1500
    for step in 0..<steps {
      let noisy = try meter.features(many, parameters, noise: noise)
      // The cross-entropy in expectation over the model's own labels: its Hessian is the information.
      let soft = try Tensor((0..<256).flatMap { _ in chances }, shape: [256 * rows, 2])
      let loss = try -(head.logits(noisy).logSoftmax() * soft).sum() * (1 / Double(256 * rows))
      let total = try loss + meter.divergence(parameters) * beta
      var tree = ParameterTree()
      for (path, gradient) in zip(parameters.paths, try Gradients.of([total], with: parameters.tensors)) {
        tree[path] = gradient
      }
      try optimizer.step(tree, rate: 0.02 * (1 - Double(step) / Double(steps)))
      if step >= steps / 2 { try tail.add(parameters) }
    }
    for (place, found) in try meter.result(try tail.mean ?? parameters).enumerated() {
      let precision = (found.fisher[0] + found.prior) / beta
      let expected = curvature[place] / beta + found.prior / beta
      #expect(abs(precision - expected) < 0.05 * expected, "weight \(place): \(precision), expected \(expected)")
      if place == 1 || place == 4 { #expect(found.prior > 0.1 * precision * beta, "the prior has no share") }
      // The prior at its own optimum: 1/λ² = w² + 1/Λ.
      let wanted = 1 / (weights[place] * weights[place] + 1 / precision)
      #expect(abs(found.prior / beta - wanted) < 0.05 * wanted)
      // Where a Monte Carlo estimate puts it.
      let closed = FisherPrior.precision([curvature[place]], meanSquare: weights[place] * weights[place], beta: beta)
      #expect(abs(closed / beta - wanted) < 0.05 * wanted)
    }
  }

  @Test func `the divergence is that of the two normal distributions`() throws {
    let network = SeparateProbeNetwork(weights: [0.7])
    let meter = try VariationalFisher(network, beta: 1)
    var parameters = ParameterTree()
    parameters["precision.weight 0"] = try Tensor([log(4.0)], shape: [1])
    parameters["prior.weight 0"] = try Tensor([log(0.25)], shape: [])
    // KL(N(m, s²) ‖ N(0, t²)) = log(t/s) + (s² + m²)/(2t²) − ½ with s = ½, t = 2.
    let expected = log(2 / 0.5) + (0.25 + 0.49) / 8 - 0.5
    #expect(abs(try meter.divergence(parameters).item() - expected) < 1e-12)
  }

  @Test func `noise on outputs has the variance of noise on weights`() throws {
    let network = MixedProbeNetwork(convolution: try normal([2, 3, 3, 3], 12), linear: try normal([2, 2], 13))
    let meter = try VariationalFisher(network, beta: 1)
    let pixels = try normal([1, 3, 4, 4], 14)
    let parameters = try meter.start([([0.5, 2], 0.1), ([1, 3], 0.2)]).mapTensors { try $1.to(.float64) }
    let noise = try EngineGenerator(seed: 15)
    // The convolution alone: its outputs are recorded, with and without.
    func outputs(_ body: (FilterTap) throws -> Void) throws -> Tensor {
      var first: Tensor?
      try body { _, _, output in
        first = first ?? output
        return output
      }
      guard let first else { throw Disagreement("no layer was seen") }
      return first
    }
    let plain = try outputs { _ = try network.features(pixels, tap: $0) }
    var square = try Tensor.zeros(plain.shape, dtype: .float64)
    let times = 4000
    for _ in 0..<times {
      var noisy: Tensor?
      let wrapped = Wrapped(inner: network) { noisy = noisy ?? $0 }
      _ = try VariationalFisher(wrapped, beta: 1).features(pixels, parameters, noise: noise)
      guard let noisy else { throw Disagreement("no layer was seen") }
      square = try square + (noisy - plain).squared()
    }
    let found = try (square * (1 / Double(times))).doubles()
    let windows = try pixels.windows(kernel: 3, stride: 2, padding: 1).squared().sum([2]).doubles()
    let precisions = try parameters.require("precision.convolution").exp().doubles()
    for (index, value) in found.enumerated() {
      let expected = windows[index % windows.count] / precisions[index / windows.count]
      #expect(abs(value - expected) < 0.12 * expected)
    }
  }

  /// Shows what the first layer hands on.
  private struct Wrapped: ProbeNetwork, @unchecked Sendable {
    var inner: MixedProbeNetwork
    var seen: (Tensor) -> Void
    var filterLayers: [FilterLayer] { inner.filterLayers }

    func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
      try inner.features(pixels) { layer, input, output in
        let result = try tap(layer, input, output)
        seen(result)
        return result
      }
    }

    func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor { try inner.map(pixels, tap: tap) }
  }

  @Test func `draws see every class as often`() {
    var draws = BalancedDraws(labels: [0] + [Int](repeating: 2, count: 99), seed: 1, label: "test")
    let drawn = draws.next(4000)
    let rare = drawn.count { $0 == 0 }
    #expect(abs(rare - 2000) < 150)
    var again = BalancedDraws(labels: [0] + [Int](repeating: 2, count: 99), seed: 1, label: "test")
    #expect(again.next(4000) == drawn)
  }

  @Test func `the classifier gives every class the same weight and stands where its gradient is zero`() throws {
    let labels = [0, 0, 0, 0, 0, 0, 1, 2, 2]
    let features = try normal([9, 5], 16)
    let head = try ProbeHead.converged(features.to(.float32), labels: labels, classes: 3, weightDecay: 0.01)
    let (weight, bias) = (try head.weight.to(.float64).asParameter(), try head.bias.to(.float64).asParameter())
    let logits = try (features.to(.float32).to(.float64) * head.scale).linear(weight, bias)
    let logs = try logits.logSoftmax()
    var mask = [Double](repeating: 0, count: 27)
    for (row, label) in labels.enumerated() { mask[row * 3 + label] = [1.0 / 6, 1, 0.5][label] / 3 }
    let loss = try -(logs * Tensor(mask, shape: [9, 3])).sum() + weight.squared().sum() * 0.005
    for gradient in try Gradients.of([loss], with: [weight, bias]) {
      for value in try gradient.doubles() { #expect(abs(value) < 1e-6) }
    }
    #expect(abs(try (features * head.scale).squared().mean().item() - 1) < 1e-6)
  }
}
