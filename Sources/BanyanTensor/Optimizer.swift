import BanyanFoundation
import CTorch

/// A gradient-descent rule of libtorch over one ``ParameterTree``, with its state laid open.
///
/// The tree's tensors are updated in place, in the order of their paths. ``state()`` and ``restore(_:)`` carry momentum and
/// moments over a restart, so that a continued run takes the very steps that the uninterrupted one takes.
public final class Optimizer {
  /// Which rule, with the constants that do not change while training.
  public enum Rule: Sendable, Equatable {
    /// `v ← μ v + (g + λ p)`, `p ← p − η v` (or Nesterov's form).
    case sgd(momentum: Double, weightDecay: Double, nesterov: Bool)
    /// Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101).
    case adamW(beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double)
  }

  private let handle: ct_optimizer
  private let parameters: ParameterTree

  /// An optimizer of `parameters`, which must be leaves that require gradients.
  public init(_ rule: Rule, parameters: ParameterTree, rate: Double) throws {
    let handles = parameters.tensors.map { Optional($0.handle) }
    var handle: ct_optimizer?
    try engine {
      switch rule {
      case .sgd(let momentum, let weightDecay, let nesterov):
        ct_sgd(handles, Int32(handles.count), rate, momentum, weightDecay, nesterov, &handle)
      case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
        ct_adamw(handles, Int32(handles.count), rate, beta1, beta2, epsilon, weightDecay, &handle)
      }
    }
    guard let handle else { throw BanyanError(.failed, at: "Optimizer", "the engine made none") }
    self.handle = handle
    self.parameters = parameters
  }

  deinit { ct_optimizer_free(handle) }

  /// Takes one step of size `rate` against `gradients`, which has the parameters' paths.
  public func step(_ gradients: ParameterTree, rate: Double) throws {
    guard rate >= 0, rate.isFinite else {
      throw BanyanError(.failed, at: "optimizer step", "expected a finite rate of zero or more, found \(rate)")
    }
    let ordered = try parameters.paths.map { try gradients.require($0) }
    let handles = ordered.map { Optional($0.handle) }
    try withExtendedLifetime(ordered) {
      try engine { ct_optimizer_set_rate(handle, rate) }
      try engine { ct_optimizer_step(handle, handles, Int32(handles.count)) }
    }
  }

  /// Momentum or moments as tensors: `<path>.first`, `<path>.second` and `<path>.steps`, where they exist.
  public func state() throws -> ParameterTree {
    var tree = ParameterTree()
    for (index, path) in parameters.paths.enumerated() {
      var first: ct_tensor?
      var second: ct_tensor?
      var steps: Int64 = 0
      try engine { ct_optimizer_state(handle, Int32(index), &first, &second, &steps) }
      if let first { tree[path + ".first"] = Tensor(first) }
      if let second {
        tree[path + ".second"] = Tensor(second)
        tree[path + ".steps"] = try Tensor([steps], shape: [1])
      }
    }
    return tree
  }

  /// Takes over a state that ``state()`` gave for parameters of the same paths and shapes.
  ///
  /// Parameters that `state` does not mention start afresh, so that an empty state undoes all steps' memory.
  ///
  /// - Throws: A `BanyanError` for an entry that belongs to no parameter, or does not fit its shape or the rule.
  public func restore(_ state: ParameterTree) throws {
    let known = Set(parameters.paths.flatMap { path in ["first", "second", "steps"].map { "\(path).\($0)" } })
    if let stray = state.paths.first(where: { !known.contains($0) }) {
      throw BanyanError(
        .malformed, at: "optimizer state: \(stray)", "there is no such parameter",
        remedy: NearNames.remedy(for: stray, among: known))
    }
    for (index, path) in parameters.paths.enumerated() {
      let first = state[path + ".first"]
      let second = state[path + ".second"]
      let steps = try state[path + ".steps"]?.integers().first ?? 0
      try withExtendedLifetime((first, second)) {
        try engine { ct_optimizer_restore(handle, Int32(index), first?.handle, second?.handle, steps) }
      }
    }
  }
}
