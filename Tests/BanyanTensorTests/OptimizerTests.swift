import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

@Suite("Optimizers")
struct OptimizerTests {
  private static let rules: [Optimizer.Rule] = [
    .sgd(momentum: 0, weightDecay: 0, nesterov: false),
    .sgd(momentum: 0.9, weightDecay: 0.05, nesterov: false),
    .sgd(momentum: 0.8, weightDecay: 0.01, nesterov: true),
    .adamW(beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1),
  ]

  private func parameters() throws -> ParameterTree {
    ParameterTree(["b.x": try random([2, 3], "b").asParameter(), "a": try random([4], "a").asParameter()])
  }

  private func gradients(_ step: Int) throws -> ParameterTree {
    ParameterTree(["a": try random([4], "ga\(step)"), "b.x": try random([2, 3], "gb\(step)")])
  }

  private func rate(_ step: Int) -> Double { 0.1 / Double(step) }

  /// One element's way under `rule`, written out.
  private func closedForm(_ rule: Optimizer.Rule, start: Double, gradients: [Double]) -> Double {
    var (p, v, m, s) = (start, 0.0, 0.0, 0.0)
    for (index, raw) in gradients.enumerated() {
      let step = index + 1
      switch rule {
      case .sgd(let momentum, let decay, let nesterov):
        let g = raw + decay * p
        v = momentum * v + g
        p -= rate(step) * (momentum == 0 ? g : nesterov ? g + momentum * v : v)
      case .adamW(let beta1, let beta2, let epsilon, let decay):
        p *= 1 - rate(step) * decay
        m = beta1 * m + (1 - beta1) * raw
        s = beta2 * s + (1 - beta2) * raw * raw
        let (first, second) = (m / (1 - pow(beta1, Double(step))), s / (1 - pow(beta2, Double(step))))
        p -= rate(step) * first / (second.squareRoot() + epsilon)
      }
    }
    return p
  }

  @Test("ten steps of a changing rate agree with the closed form", arguments: rules)
  func closedForm(_ rule: Optimizer.Rule) throws {
    let tree = try parameters()
    let start = try tree.snapshot()
    let optimizer = try Optimizer(rule, parameters: tree, rate: 1)
    for step in 1...10 { try optimizer.step(gradients(step), rate: rate(step)) }
    for path in tree.paths {
      let before = try start.require(path).doubles()
      let after = try tree.require(path).doubles()
      let history = try (1...10).map { try gradients($0).require(path).doubles() }
      for i in before.indices {
        let expected = closedForm(rule, start: before[i], gradients: history.map { $0[i] })
        #expect(abs(after[i] - expected) < 1e-12)
      }
    }
  }

  @Test("a state restored midway continues to the last bit", arguments: rules)
  func continuation(_ rule: Optimizer.Rule) throws {
    let whole = try parameters()
    let optimizer = try Optimizer(rule, parameters: whole, rate: 1)
    for step in 1...5 { try optimizer.step(gradients(step), rate: rate(step)) }
    let state = try optimizer.state().snapshot()
    let resumed = try whole.snapshot().mapTensors { try $1.asParameter() }
    for step in 6...10 { try optimizer.step(gradients(step), rate: rate(step)) }

    let second = try Optimizer(rule, parameters: resumed, rate: 1)
    let file = try SafetensorsFile(SafetensorsFile.encode(state), path: "state")
    try second.restore(file.tree())
    for step in 6...10 { try second.step(gradients(step), rate: rate(step)) }
    #expect(try resumed.differingPaths(from: whole) == [])
    #expect(try second.state().differingPaths(from: optimizer.state()) == [])

    // Without the state a rule with memory goes another way: the test can fail.
    if rule != Self.rules[0] {
      let forgetful = try whole.snapshot().mapTensors { try $1.asParameter() }
      let third = try Optimizer(rule, parameters: forgetful, rate: 1)
      try third.step(gradients(11), rate: 0.1)
      try optimizer.step(gradients(11), rate: 0.1)
      #expect(try forgetful.differingPaths(from: whole) == ["a", "b.x"])
    }
  }

  @Test("a state is a copy, and an empty one makes the optimizer forget")
  func stateIsValue() throws {
    let tree = try parameters()
    let start = try tree.snapshot()
    let optimizer = try Optimizer(Self.rules[3], parameters: tree, rate: 1)
    #expect(try optimizer.state().count == 0)
    try optimizer.step(gradients(1), rate: 0.1)
    let once = try tree.snapshot()
    let state = try optimizer.state()
    #expect(state.paths == ["a.first", "a.second", "a.steps", "b.x.first", "b.x.second", "b.x.steps"])
    #expect(try state.require("a.steps").integers() == [1])
    let copy = try state.snapshot()
    try optimizer.step(gradients(2), rate: 0.1)
    #expect(try state.differingPaths(from: copy) == [])

    for path in tree.paths { try tree.require(path).assign(start.require(path)) }
    try optimizer.restore(ParameterTree())
    #expect(try optimizer.state().count == 0)
    try optimizer.step(gradients(1), rate: 0.1)
    #expect(try tree.differingPaths(from: once) == [])
  }

  @Test("gradients, rates and states that do not fit are refused and change nothing")
  func refusals() throws {
    let tree = try parameters()
    let before = try tree.snapshot()
    let optimizer = try Optimizer(Self.rules[3], parameters: tree, rate: 1)
    var wrong = try gradients(1)
    wrong["b.x"] = try random([3], "broadcasts")
    expectError("optimizer_step", "[2, 3]", "[3]") { try optimizer.step(wrong, rate: 0.1) }
    wrong["b.x"] = try random([2, 3], "floats").to(.float32)
    expectError("optimizer_step", "Double", "Float") { try optimizer.step(wrong, rate: 0.1) }
    wrong["b.x"] = nil
    expectError("b.x", kind: .malformed) { try optimizer.step(wrong, rate: 0.1) }
    for rate in [-1, Double.nan, .infinity] { expectError("rate") { try optimizer.step(gradients(1), rate: rate) } }
    #expect(try tree.differingPaths(from: before) == [])
    expectError("sgd") { _ = try Optimizer(Self.rules[0], parameters: tree, rate: -1) }
    expectError("sgd") {
      _ = try Optimizer(.sgd(momentum: 0, weightDecay: 0, nesterov: true), parameters: tree, rate: 1)
    }
    expectError("adamw") {
      _ = try Optimizer(.adamW(beta1: 1.5, beta2: 0.9, epsilon: 0, weightDecay: 0), parameters: tree, rate: 1)
    }
    expectError("sgd") {
      _ = try Optimizer(Self.rules[0], parameters: ParameterTree(["c": tree.require("a") * 2]), rate: 1)
    }

    try optimizer.step(gradients(1), rate: 0.1)
    let state = try optimizer.state()
    func changed(_ path: String, _ tensor: Tensor?) -> ParameterTree {
      var copy = state
      copy[path] = tensor
      return copy
    }
    expectError("a.frist", "a.first", kind: .malformed) { try optimizer.restore(changed("a.frist", .zeros([4]))) }
    expectError("optimizer_restore", "[4]") { try optimizer.restore(changed("a.first", .zeros([2], dtype: .float64))) }
    expectError("optimizer_restore") { try optimizer.restore(changed("a.first", .zeros([4]))) }
    expectError("optimizer_restore") { try optimizer.restore(changed("a.second", nil)) }
    expectError("optimizer_restore") { try optimizer.restore(changed("a.steps", nil)) }
    let plain = try Optimizer(Self.rules[1], parameters: tree, rate: 1)
    expectError("optimizer_restore") { try plain.restore(state) }
  }
}
