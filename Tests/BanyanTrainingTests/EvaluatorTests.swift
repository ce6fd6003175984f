import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTensor
import Foundation
import Testing

/// Scores against numbers worked out by hand.
@Suite struct EvaluatorTests {
  // Six pictures of three classes; the largest probability of each row decides.
  private let rows: [[Double]] = [
    [0.7, 0.2, 0.1],  // 0, right, confidence 0.7
    [0.1, 0.8, 0.1],  // 0, wrong, 0.8
    [0.3, 0.4, 0.3],  // 1, right, 0.4
    [0.0, 1.0, 0.0],  // 1, right, 1.0
    [0.5, 0.1, 0.4],  // 1, wrong, 0.5
    [0.1, 0.1, 0.8],  // 2, right, 0.8
  ]
  private let labels = [0, 0, 1, 1, 1, 2]
  private let names = ["a", "b", "c"]

  @Test func accuracyConfusionAndCalibrationAreThoseOfTheDefinition() throws {
    let result = try Evaluator(logitScale: 1, binCount: 5).score(rows, labels: labels, classNames: names)
    #expect(result.correct == 4 && result.count == 6 && abs(result.top1 - 4.0 / 6) < 1e-15)
    #expect(result.confusion == [[1, 1, 0], [1, 2, 0], [0, 0, 1]])
    #expect(result.perClass == ["a": 0.5, "b": 2.0 / 3, "c": 1])
    // Bins (0.2, 0.4]: 0.4 right. (0.4, 0.6]: 0.5 wrong. (0.6, 0.8]: 0.7 right, 0.8 wrong, 0.8 right. (0.8, 1]: 1 right.
    #expect(result.reliability.map(\.count) == [0, 1, 1, 3, 1])
    let gaps = [abs(1 - 0.4) * 1, abs(0 - 0.5) * 1, abs(2.0 / 3 - 2.3 / 3) * 3, 0]
    #expect(abs(result.expectedCalibrationError - gaps.reduce(0, +) / 6) < 1e-12)
    #expect(abs(result.reliability[3].confidence - 2.3 / 3) < 1e-12)
    #expect(
      result.mistakes == [
        Mistake(image: 1, label: 0, predicted: 1, confidence: 0.8),
        Mistake(image: 4, label: 1, predicted: 0, confidence: 0.5),
      ])
    #expect(result.classNames == names)
  }

  @Test func anExampleOfEveryConfusionIsKeptBeforeSurerOnesOfAnother() throws {
    // Thirty sure mistakes of one kind, two faint ones of others.
    let sure: [[Double]] = (0..<30).map { number in
      let confidence = 0.9 + Double(number) / 1000
      return [1 - confidence, confidence, 0]
    }
    let result = try Evaluator(logitScale: 1).score(
      sure + [[0.4, 0.3, 0.3], [0.35, 0.3, 0.35 + 1e-9], [0, 0, 1]],
      labels: [Int](repeating: 0, count: 30) + [1, 1, 2], classNames: names)
    let images: [Int] = (result.mistakes ?? []).map(\.image)
    // The surest of all first, then the rest of that kind, the faint ones at the end.
    #expect(images == Array((8..<30).reversed()) + [30, 31])
  }

  @Test func aClassWithoutPicturesHasNoAccuracyAndOneBinIsTheWholeGap() throws {
    let result = try Evaluator(logitScale: 1, binCount: 1).score(
      [[0.9, 0.1, 0], [0.6, 0.4, 0]], labels: [0, 1], classNames: names)
    #expect(result.perClass == ["a": 1, "b": 0])
    #expect(abs(result.expectedCalibrationError - 0.25) < 1e-12)
  }

  @Test func theFirstOfEqualProbabilitiesIsTaken() throws {
    let result = try Evaluator(logitScale: 1).score([[0.5, 0.5]], labels: [1], classNames: ["a", "b"])
    #expect(result.correct == 0 && result.confusion == [[0, 0], [1, 0]])
  }

  @Test func whatIsNoProbabilityIsAnErrorAndNoCrash() throws {
    let evaluator = Evaluator(logitScale: 1)
    let bad: [([[Double]], [Int])] = [
      ([[.nan, 0.5]], [0]), ([[.infinity, 0]], [0]), ([[0.5]], [0]), ([[0.5, 0.5]], [2]), ([[0.5, 0.5]], [-1]),
      ([], []),
      ([[0.5, 0.5]], []),
    ]
    for (rows, labels) in bad {
      #expect(throws: BanyanError.self, "\(rows) \(labels)") {
        try evaluator.score(rows, labels: labels, classNames: ["a", "b"])
      }
    }
  }

  @Test func logitsAreTheScaledProductsOfUnitVectors() throws {
    let evaluator = Evaluator(logitScale: 4)
    let features = try Tensor([1, 0, 0.6, 0.8] as [Float], shape: [2, 2])
    let weights = try Tensor([1, 0, 0, 1, 0.8, 0.6] as [Float], shape: [3, 2])
    let unlabelled = TaskBatch(task: 0, features: features, labels: try .indices([0, 0]))
    let found = try evaluator.probabilities(unlabelled, weights)
    let logits: [[Double]] = [[4, 0, 3.2], [2.4, 3.2, 3.84]]
    for (row, logit) in zip(found, logits) {
      let total = logit.map(exp).reduce(0, +)
      for (p, l) in zip(row, logit) { #expect(abs(p - exp(l) / total) < 1e-6) }
    }
    let batch = TaskBatch(task: 0, features: features, labels: try .indices([1, 2]))
    let loss = try evaluator.loss(TaskClassifier(weights), on: batch)
    let expected = -(log(found[0][1]) + log(found[1][2])) / 2
    #expect(abs(loss - expected) < 1e-6)
    let result = try evaluator.evaluate(
      TaskClassifier(
        ["own": weights, "other": try Tensor([0, -1, 1, 0, 0, 1] as [Float], shape: [3, 2])], chosen: "own"),
      on: batch, classNames: ["a", "b", "c"], losses: (initial: 2, final: 1))
    #expect(result.top1 == 0.5 && result.initialLoss == 2 && result.finalLoss == 1)
    #expect(result.combinations == ["own": 0.5, "other": 1])
  }
}
