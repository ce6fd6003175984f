import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTensor
import BanyanTestSupport
import Testing

@Suite struct ClassifierPlaneTests {
  private func normal(_ shape: [Int], _ seed: UInt64) throws -> Tensor { try EngineGenerator(seed: seed).normal(shape) }

  private func three() throws -> [Tensor] { try (1...3).map { try normal([5, 16], $0).normalized() } }

  @Test func `the three lie on the plane, as far from each other as in space`() throws {
    let w = try three()
    let plane = try ClassifierPlane(w[0], w[1], w[2])
    let places = try w.map { try plane.place(of: $0) }
    #expect(places[0].x == 0 && places[0].y == 0)
    #expect(abs(places[1].y) < 1e-12 && places[1].x > 0 && places[2].y > 0)
    for place in places { #expect(place.distance < 1e-6) }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
      let between = try (w[a].to(.float64) - w[b].to(.float64)).squared().sum().item().squareRoot()
      let (dx, dy) = (places[a].x - places[b].x, places[a].y - places[b].y)
      #expect(abs((dx * dx + dy * dy).squareRoot() - between) < 1e-10)
    }
    // The mean of two of them is a combination of the three, so that it lies on the plane too.
    #expect(try plane.place(of: (w[1] + w[2]) * 0.5).distance < 1e-6)
    #expect(try plane.place(of: normal([5, 16], 9)).distance > 0.1)
    for (place, weights) in zip(places, w) {
      try agree(
        plane.weights(x: place.x, y: place.y), weights.to(.float64), "weights", within: .at(.tower, .float64))
    }
  }

  @Test func `the surface is what an evaluator finds at each point`() throws {
    let w = try three()
    let plane = try ClassifierPlane(w[0], w[1], w[2])
    let labels = (0..<37).map { ($0 * 3) % 5 }
    let batch = TaskBatch(
      task: 0, features: try normal([37, 16], 4).normalized(), labels: try .indices(labels))
    let (x, y) = ([-0.5, 0.0, 0.7, 2.0], [-1.0, 0.25, 1.5])
    let found = try plane.surface(batch, logitScale: 20, x: x, y: y)
    let evaluator = Evaluator(logitScale: 20)
    for (row, up) in y.enumerated() {
      for (column, along) in x.enumerated() {
        let weights = try plane.weights(x: along, y: up).to(.float32)
        let loss = try evaluator.loss(TaskClassifier(weights), on: batch)
        #expect(abs(found.loss[row][column] - loss) < 1e-5 * max(1, loss))
        let result = try evaluator.evaluate(
          TaskClassifier(weights), on: batch, classNames: (0..<5).map { "class \($0)" })
        #expect(abs(found.error[row][column] - (1 - result.top1)) < 1e-9)
      }
    }
  }

  @Test func `three on a line, or of different shapes, span no plane`() throws {
    let w = try three()
    #expect(throws: BanyanError.self) { try ClassifierPlane(w[0], w[0], w[1]) }
    #expect(throws: BanyanError.self) { try ClassifierPlane(w[0], w[1], w[1]) }
    #expect(throws: BanyanError.self) { try ClassifierPlane(w[0], w[1], (w[0] + w[1]) * 0.5) }
    #expect(throws: BanyanError.self) { try ClassifierPlane(w[0], w[1], normal([4, 16], 7)) }
  }
}
