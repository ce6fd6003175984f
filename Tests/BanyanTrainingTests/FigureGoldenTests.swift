import BanyanEvaluation
import BanyanReports
import BanyanStructure
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// What figures are drawn from against the libraries that people draw with.
@Suite struct FigureGoldenTests {
  private struct Leaves: Decodable {
    var affinity: [[Double]]
    var leaves: [Int]
    var heights: [Double]
  }

  private struct Reliability: Decodable {
    var confidence: [Double]
    var labels: [Int]
    var bins: Int
    var counts: [Int]
    var meanConfidence: [Double]
    var accuracy: [Double]
    var error: Double
  }

  private func golden<Value: Decodable>(_ name: String) throws -> Value {
    try JSONDecoder().decode(
      Value.self, from: Data(contentsOf: Golden.folder.appending(path: "figures/\(name).json")))
  }

  @Test func theLeavesOfADendrogramStandAsInScipy() throws {
    let cases: [Leaves] = try golden("leaves")
    #expect(cases.map(\.leaves.count) == [2, 3, 8, 25])
    for item in cases {
      let names = item.leaves.indices.map { "task \($0)" }
      let tree = RecordedTree(
        try TaskTree(clustering: AffinityMatrix(names: names, values: item.affinity)))
      #expect(try TreeDrawing(tree).order == item.leaves.map { names[$0] })
      let joins = tree.nodes.compactMap(\.mergeAffinity)
      #expect(joins.count == item.heights.count)
      #expect(zip(joins.sorted(by: >), item.heights).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }

  @Test func binsOfConfidenceAreThoseOfScikitLearn() throws {
    let cases: [Reliability] = try golden("reliability")
    #expect(cases.count == 3)
    for item in cases {
      let result = try Evaluator(logitScale: 1, binCount: item.bins).score(
        item.confidence.map { [$0, 1 - $0] }, labels: item.labels, classNames: ["first", "second"])
      #expect(result.reliability.map(\.count) == item.counts)
      let held = result.reliability.filter { $0.count > 0 }
      #expect(held.count == item.accuracy.count)
      for (bin, (confidence, accuracy)) in zip(held, zip(item.meanConfidence, item.accuracy)) {
        #expect(abs(bin.confidence - confidence) < 1e-12 && abs(bin.accuracy - accuracy) < 1e-12)
      }
      #expect(abs(result.expectedCalibrationError - item.error) < 1e-12)
    }
  }
}
