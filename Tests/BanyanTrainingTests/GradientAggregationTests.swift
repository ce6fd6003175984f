import BanyanFoundation
import BanyanTraining
import Foundation
import Testing

/// What each rule promises of its direction, checked on random gradients.
@Suite struct GradientAggregationTests {
  /// `tasks` gradients of `size` numbers; of very different lengths, many of them in conflict.
  private func gradients(_ tasks: Int, size: Int = 6, seed: UInt64) -> [[Double]] {
    var generator = SeededGenerator(seed: seed, label: "gradients")
    return (0..<tasks).map { task in
      let scale = pow(10, Double(task % 3) - 1)
      return (0..<size).map { _ in Double.random(in: -1...1, using: &generator) * scale }
    }
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
  private func length(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

  private func weights(_ rule: GradientAggregation, _ gradients: [[Double]], seed: UInt64 = 1, radius: Double = 0.5)
    -> [Double]
  {
    var generator = SeededGenerator(seed: seed, label: "order")
    return rule.weights(
      gradients.map { a in gradients.map { dot(a, $0) } }, radius: radius, generator: &generator)
  }

  private func direction(_ weights: [Double], _ gradients: [[Double]]) -> [Double] {
    gradients[0].indices.map { place in zip(weights, gradients).reduce(0) { $0 + $1.0 * $1.1[place] } }
  }

  private static let cases = (2...7).flatMap { tasks in (1...5).map { (tasks, UInt64($0)) } }

  @Test(arguments: GradientAggregation.allCases)
  func `equal gradients are summed`(_ rule: GradientAggregation) {
    for tasks in 1...6 {
      let one = gradients(1, seed: 3)[0]
      let sum = direction(weights(rule, Array(repeating: one, count: tasks)), Array(repeating: one, count: tasks))
      for (mine, theirs) in zip(sum, one) { #expect(abs(mine - Double(tasks) * theirs) < 1e-6, "\(rule) \(tasks)") }
    }
  }

  @Test(arguments: GradientAggregation.allCases)
  func `a task without a gradient has no say, and scaling all gradients scales the step`(_ rule: GradientAggregation) {
    let some = gradients(4, seed: 8)
    let zeros = [Double](repeating: 0, count: 6)
    let plain = direction(weights(rule, some), some)
    let beside = some + [zeros]
    // The order of the draws is another one with a task more.
    if rule != .pcgrad {
      for (a, b) in zip(direction(weights(rule, beside), beside), plain) { #expect(abs(a - b) < 1e-6 * length(plain)) }
    }
    let larger = some.map { $0.map { 50 * $0 } }
    for (a, b) in zip(direction(weights(rule, larger), larger), plain) {
      #expect(abs(a - 50 * b) < 1e-5 * length(plain), "\(rule)")
    }
    #expect(weights(rule, [zeros, zeros]) == [1, 1])
    #expect(weights(rule, []).isEmpty)
  }

  @Test func `two conflicting gradients lose what points against the other`() {
    let pair = [[3.0, 1], [-1.0, 2]]
    let product = dot(pair[0], pair[1])
    let expected = [
      pair[0].indices.map { pair[0][$0] - product / 5 * pair[1][$0] },
      pair[0].indices.map { pair[1][$0] - product / 10 * pair[0][$0] },
    ]
    let found = direction(weights(.pcgrad, pair), pair)
    for place in 0..<2 { #expect(abs(found[place] - expected[0][place] - expected[1][place]) < 1e-12) }
    #expect(weights(.pcgrad, [[3, 1], [1, 2]]) == [1, 1])
  }

  @Test(arguments: cases)
  func `projected gradients are those of vectors`(_ tasks: Int, _ seed: UInt64) {
    let all = gradients(tasks, seed: seed)
    // The same with vectors in place of inner products.
    var generator = SeededGenerator(seed: 4, label: "order")
    var sum = [Double](repeating: 0, count: 6)
    for task in 0..<tasks {
      var own = all[task]
      for other in (0..<tasks).filter({ $0 != task }).shuffled(using: &generator) where dot(own, all[other]) < 0 {
        let share = dot(own, all[other]) / dot(all[other], all[other])
        own = zip(own, all[other]).map { $0 - share * $1 }
      }
      sum = zip(sum, own).map(+)
    }
    let found = direction(weights(.pcgrad, all, seed: 4), all)
    for (a, b) in zip(found, sum) { #expect(abs(a - b) < 1e-9 * max(1, length(sum))) }
  }

  @Test(arguments: cases)
  func `the shortest convex combination points up for no task`(_ tasks: Int, _ seed: UInt64) {
    let all = gradients(tasks, seed: seed)
    let found = weights(.mgda, all).map { $0 / Double(tasks) }
    #expect(found.allSatisfy { $0 >= 0 } && abs(found.reduce(0, +) - 1) < 1e-12)
    let shortest = direction(found, all)
    // The condition of optimality: <d, g> is at least <d, d> for each task, and equal where the task has weight.
    for (gradient, weight) in zip(all, found) {
      let excess = dot(shortest, gradient) - dot(shortest, shortest)
      #expect(excess > -1e-9 && (weight == 0 || excess < 1e-6), "\(excess) at weight \(weight)")
    }
  }

  @Test(arguments: cases, [0.0, 0.4, 0.9])
  func `no direction as near to the mean serves the worst task better`(_ size: (Int, UInt64), _ radius: Double) {
    let (tasks, seed) = size
    let all = gradients(tasks, seed: seed)
    let mean = direction([Double](repeating: 1 / Double(tasks), count: tasks), all)
    let found = direction(weights(.cagrad, all, radius: radius), all).map { $0 * (1 + radius) / Double(tasks) }
    let reach = radius * length(mean)
    #expect(length(zip(found, mean).map { $0 - $1 }) <= reach + 1e-9)
    func worst(_ d: [Double]) -> Double { all.map { dot($0, d) }.min() ?? 0 }
    let best = worst(found)
    var generator = SeededGenerator(seed: seed, label: "other directions")
    for _ in 0..<2000 {
      let drawn = mean.map { _ in Double.random(in: -1...1, using: &generator) }
      let size = length(drawn)
      // Near the answer as well as anywhere on the ball.
      for base in [mean, found] {
        let step = Double.random(in: 0...1, using: &generator) * (base == mean ? reach : reach * 1e-2)
        var other = zip(base, drawn).map { $0 + $1 * step / size }
        let off = zip(other, mean).map { $0 - $1 }
        if length(off) > reach, reach > 0 { other = zip(mean, off).map { $0 + $1 * reach / length(off) } }
        #expect(worst(other) <= best + 1e-7 * max(1, abs(best)))
      }
    }
  }

  @Test(arguments: cases)
  func `impartial steps have equal projections`(_ tasks: Int, _ seed: UInt64) {
    guard tasks <= 6 else { return }  // In six dimensions no direction is equal on seven.
    let all = gradients(tasks, seed: seed)
    let found = weights(.imtlG, all)
    #expect(abs(abs(found.reduce(0, +)) - Double(tasks)) < 1e-9)
    let step = direction(found, all)
    let projections = all.map { dot(step, $0) / length($0) }
    for projection in projections {
      #expect(projection > 0 && abs(projection - projections[0]) < 1e-4 * projections[0])
    }
  }

  @Test func `opposite gradients stand still under the impartial rule`() {
    let step = direction(weights(.imtlG, [[1, 2], [-1, -2]]), [[1, 2], [-1, -2]])
    #expect(length(step) < 1e-12)
  }

  @Test(arguments: cases)
  func `bargained weights solve their equation`(_ tasks: Int, _ seed: UInt64) {
    let all = gradients(tasks, seed: seed)
    let found = weights(.nash, all)
    let products = all.map { a in all.map { dot(a, $0) } }
    let norm = products.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
    for (row, weight) in zip(products, found) {
      #expect(weight > 0 && abs(dot(row, found) / norm * weight - 1) < 1e-9)
    }
  }
}
