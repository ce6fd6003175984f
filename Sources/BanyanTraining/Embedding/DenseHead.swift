package import BanyanFoundation
package import BanyanTensor

/// A decoder on a probe's map for one task, as in the supplement's section 1.1: labels of whole pictures, a class at every
/// place, or a number at every place.
///
///     label:  conv₃ₓ₃ 256 → mean over places → linear
///     place:  conv₃ₓ₃ 256 → conv₃ₓ₃ 256 → ×2 → conv₃ₓ₃ 128 → ×2 → conv₃ₓ₃ 32 → conv₁ₓ₁
///
/// Every 3 × 3 convolution is followed by a batch norm and a ReLU; ×2 repeats each place four times. Unlike ``ProbeHead``,
/// which is linear on features, it can ask for what stands where.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, supplement 1.1.
package struct DenseHead {
  /// What is asked.
  package enum Output: Sendable, Equatable {
    /// One class a picture.
    case labels(Int)
    /// One class a place.
    case places(Int)
    /// One number a place.
    case numbers
  }

  /// What is asked.
  package let output: Output
  /// The decoder's weights, and behind `norm.<n>` what its norms have seen.
  package private(set) var parameters: ParameterTree
  private let channels: Int

  private static let epsilon = 1e-5
  /// How much of a norm's memory each step replaces.
  private static let momentum = 0.1

  /// Filters of the 3 × 3 convolutions, and after which of them the map grows.
  private var plan: [(filters: Int, grows: Bool)] {
    if case .labels = output { return [(256, false)] }
    return [(256, false), (256, true), (128, true), (32, false)]
  }

  /// A decoder of a map of `channels`, drawn from `seed`.
  package init(_ output: Output, channels: Int, seed: UInt64, device: Device) throws {
    (self.output, self.channels) = (output, channels)
    var tree = ParameterTree()
    var input = channels
    parameters = tree
    for (index, layer) in plan.enumerated() {
      var generator = SeededGenerator(seed: seed, label: "decoder \(index)")
      let deviation = (2 / Double(input * 9)).squareRoot()
      tree["weight.\(index)"] = try .normal([layer.filters, input, 3, 3], deviation: deviation, generator: &generator)
        .to(device: device)
      tree["scale.\(index)"] = try .full([layer.filters], 1, device: device)
      tree["shift.\(index)"] = try .zeros([layer.filters], device: device)
      tree["norm.\(index).mean"] = try .zeros([layer.filters], device: device)
      tree["norm.\(index).variance"] = try .full([layer.filters], 1, device: device)
      input = layer.filters
    }
    let outputs =
      switch output {
      case .labels(let count), .places(let count): count
      case .numbers: 1
      }
    tree["last.weight"] = try .zeros([outputs, input], device: device)
    tree["last.bias"] = try .zeros([outputs], device: device)
    parameters = tree
  }

  /// How many times the map's side the output has.
  package static let growth = 4

  /// What the decoder says of a map [batch, channels, rows, columns]: [batch, classes], or [batch, places, classes].
  ///
  /// - Parameter learned: The weights with a graph, while they are learned: norms then use the batch's own moments, which are
  ///   returned; `nil` uses what was remembered.
  package func callAsFunction(_ map: Tensor, learned: ParameterTree? = nil) throws -> (
    logits: Tensor, moments: [(mean: Tensor, variance: Tensor)]
  ) {
    let tree = learned ?? parameters
    var x = map
    var moments: [(mean: Tensor, variance: Tensor)] = []
    for (index, layer) in plan.enumerated() {
      x = try x.convolution2D(tree.require("weight.\(index)"), padding: 1)
      let mean: Tensor
      let variance: Tensor
      if learned != nil {
        mean = try x.mean([0, 2, 3])
        variance = try (x - mean.reshaped([1, layer.filters, 1, 1])).squared().mean([0, 2, 3])
        moments.append((try mean.detached(), try variance.detached()))
      } else {
        mean = try parameters.require("norm.\(index).mean")
        variance = try parameters.require("norm.\(index).variance")
      }
      let scale = try tree.require("scale.\(index)") / (variance + Self.epsilon).sqrt()
      let shift = try tree.require("shift.\(index)") - mean * scale
      x = try (x * scale.reshaped([1, layer.filters, 1, 1]) + shift.reshaped([1, layer.filters, 1, 1])).relu()
      if layer.grows { x = try Self.doubled(x) }
    }
    let (weight, bias) = (try tree.require("last.weight"), try tree.require("last.bias"))
    if case .labels = output { return (try x.mean([2, 3]).linear(weight, bias), moments) }
    let shape = x.shape
    let places = try x.reshaped([shape[0], shape[1], shape[2] * shape[3]]).transposed()
    return (try places.linear(weight, bias), moments)
  }

  /// Every place four times: [batch, channels, 2 rows, 2 columns].
  private static func doubled(_ x: Tensor) throws -> Tensor {
    let shape = x.shape
    return try x.reshaped([shape[0], shape[1], shape[2], 1, shape[3], 1])
      .expanded([shape[0], shape[1], shape[2], 2, shape[3], 2])
      .reshaped([shape[0], shape[1], 2 * shape[2], 2 * shape[3]])
  }

  /// What is asked of some pictures: [batch] or [batch, places] of classes, or [batch, places] of numbers.
  ///
  /// - Returns: The mean loss: cross-entropy, or half the squared difference.
  package func loss(_ logits: Tensor, _ targets: Tensor) throws -> Tensor {
    switch output {
    case .labels: return try logits.crossEntropy(targets)
    case .places(let classes):
      return try logits.reshaped([targets.count, classes]).crossEntropy(targets.reshaped([targets.count]))
    case .numbers:
      return try (logits.reshaped(targets.shape) - targets).squared().mean() * 0.5
    }
  }

  /// Learns by Adam.
  ///
  /// - Parameters:
  ///   - steps: How many.
  ///   - rate: Of Adam.
  ///   - batch: The map and the targets of a step's pictures.
  package mutating func learn(steps: Int, rate: Double, batch: (Int) throws -> (map: Tensor, targets: Tensor)) throws {
    let trained = try parameters.filtered { !$0.hasPrefix("norm.") }.mapTensors { try $1.asParameter() }
    let rule = Optimizer.Rule.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    let optimizer = try Optimizer(rule, parameters: trained, rate: rate)
    for step in 0..<steps {
      let (map, targets) = try batch(step)
      let (logits, moments) = try self(map, learned: trained)
      let gradients = try Gradients.of([loss(logits, targets)], with: trained.tensors)
      var tree = ParameterTree()
      for (path, gradient) in zip(trained.paths, gradients) { tree[path] = gradient }
      try optimizer.step(tree, rate: rate)
      for (index, moment) in moments.enumerated() {
        for (name, value) in [("mean", moment.mean), ("variance", moment.variance)] {
          let path = "norm.\(index).\(name)"
          parameters[path] = try Engine.withoutGradients {
            step == 0
              ? value : try parameters.require(path) * (1 - Self.momentum) + value * Self.momentum
          }
        }
      }
    }
    for path in trained.paths { parameters[path] = try trained.require(path).detached().clone() }
  }

  /// The gradient of `log p(y | x)` with respect to the outputs, for `y` drawn from the decoder itself: classes from their
  /// probabilities, numbers from `N(output, 1)`.
  package func drawnCotangent(_ logits: Tensor, generator: inout SeededGenerator) throws -> Tensor {
    try Engine.withoutGradients {
      switch output {
      case .numbers: return try Tensor.normal(logits.shape, generator: &generator).to(device: logits.device)
      case .labels:
        return try MonteCarloFisher.cotangent(logits) { chances, classes in
          try MonteCarloFisher.draw(chances, classes: classes, generator: &generator)
        }
      case .places(let classes):
        // Each place from the decoder alone: weights of a picture's draws would multiply up.
        let chances = try logits.softmax()
        let rows = try chances.to(.float64).doubles()
        var hits = [Float](repeating: 0, count: rows.count)
        for start in stride(from: 0, to: rows.count, by: classes) {
          var left = generator.uniform() * rows[start..<start + classes].reduce(0, +)
          let place = (0..<classes - 1).first { place in
            left -= rows[start + place]
            return left < 0
          }
          hits[start + (place ?? classes - 1)] = 1
        }
        return try chances - Tensor(hits, shape: logits.shape, device: logits.device)
      }
    }
  }
}
