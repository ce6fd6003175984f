import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct PairedDifferencesTests {
  // Averages by seed: CoOp 0.65 and 0.68, HiPro 0.67 and 0.69.
  private let runs = SampleRecords.named(SampleRecords.coop, SampleRecords.hipro)

  private func close(_ found: Double?, _ expected: Double, _ tolerance: Double = 1e-12) -> Bool {
    found.map { abs($0 - expected) < tolerance } ?? false
  }

  /// A run of one task with these scores by seed.
  private func record(_ title: String, _ scores: [(UInt64, Double)], task: String = "art") -> RunRecord {
    SampleRecords.record(title, scores.map { SampleRecords.run(seed: $0, [(task, $1)]) })
  }

  @Test func `Quantiles are those of the tables`() {
    let table: [(probability: Double, degrees: Int, t: Double)] = [
      (0.975, 1, 12.706_204_736), (0.975, 2, 4.302_652_730), (0.975, 4, 2.776_445_105), (0.975, 9, 2.262_157_163),
      (0.975, 30, 2.042_272_456), (0.975, 120, 1.979_930_405), (0.95, 5, 2.015_048_373), (0.995, 10, 3.169_272_673),
    ]
    for (probability, degrees, t) in table {
      #expect(
        close(StudentT.quantile(probability, degreesOfFreedom: degrees), t, 2e-9), "\(probability), \(degrees)")
    }
    // The limit is the normal distribution's.
    #expect(close(StudentT.quantile(0.975, degreesOfFreedom: 1000), 1.962_339_081, 1e-8))
    #expect(close(StudentT.quantile(0.975, degreesOfFreedom: 20_000), 1.96, 1e-3))
  }

  @Test(arguments: [0.6, 0.75, 0.9, 0.99, 0.999_9])
  func `One and two degrees of freedom have closed forms`(_ p: Double) {
    #expect(close(StudentT.quantile(p, degreesOfFreedom: 1), tan(.pi * (p - 0.5)), 1e-6))
    #expect(close(StudentT.quantile(p, degreesOfFreedom: 2), (2 * p - 1) / (2 * p * (1 - p)).squareRoot(), 1e-6))
  }

  @Test func `What is no quantile is nil`() {
    for p in [0.5, 0, 1, 1.5, -1, .nan] { #expect(StudentT.quantile(p, degreesOfFreedom: 3) == nil, "\(p)") }
    for n in [0, -4] { #expect(StudentT.quantile(0.975, degreesOfFreedom: n) == nil, "\(n)") }
  }

  @Test func `Differences are paired by seed and their interval is Student's`() throws {
    for baseline in ["run-1", "coop"] {
      let paired = try PairedDifferences(runs, baseline: baseline)
      #expect(paired.baseline == "run-1" && paired.rows.count == 1)
      let row = try #require(paired.rows.first)
      #expect(row.run == "run-2" && row.title == "HiPro" && row.differences.count == 2)
      #expect(close(row.differences.first, 0.02) && close(row.differences.last, 0.01) && close(row.mean, 0.015))
      // d = (0.02, 0.01): sd = 0.01 / √2, so t · sd / √2 = 12.7062 · 0.005.
      #expect(close(row.halfWidth, 12.706_204_736 * 0.005, 1e-10))
    }
    let turned = try PairedDifferences(runs, baseline: "run-2")
    #expect(turned.rows.map(\.run) == ["run-1"] && close(turned.rows.first?.mean, -0.015))
  }

  @Test func `The order of seeds does not matter and a seed of one run alone is left out`() throws {
    let base = record("A", [(5, 0.5), (1, 0.4), (9, 0.9)])
    let other = record("B", [(1, 0.7), (7, 0.1), (5, 0.6)])
    let row = try #require(PairedDifferences(SampleRecords.named(base, other), baseline: "a").rows.first)
    #expect(row.differences.count == 2 && close(row.differences.first, 0.3) && close(row.differences.last, 0.1))
  }

  @Test func `One seed has a difference and no interval`() throws {
    let one = SampleRecords.named(record("A", [(1, 0.5)]), record("B", [(1, 0.75)]))
    let paired = try PairedDifferences(one, baseline: "run-1")
    #expect(close(paired.rows.first?.mean, 0.25) && paired.rows.first?.halfWidth == nil)
    #expect(
      paired.text(width: 80) == """
        Against run-1  Points  95 % interval  Seeds
        run-2           +25.0              –      1

        """)
  }

  @Test func `Text and Markdown are in points with signs`() throws {
    let paired = try PairedDifferences(runs, baseline: "run-1")
    #expect(
      paired.text(width: 80) == """
        Against run-1  Points  95 % interval  Seeds
        run-2            +1.5    -4.9 … +7.9      2

        """)
    #expect(paired.markdown.hasSuffix("| run-2 | +1.5 | -4.9 … +7.9 | 2 |\n"))
    let turned = try PairedDifferences(runs, baseline: "run-2")
    #expect(turned.markdown.hasSuffix("| run-1 | -1.5 | -7.9 … +4.9 | 2 |\n"))
    let data = try JSONDocument.data(paired, subject: "differences")
    #expect(try JSONDocument.decode(PairedDifferences.self, from: data, subject: "differences") == paired)
  }

  @Test func `A baseline that is unknown, ambiguous or of other tasks is a usage error`() throws {
    let twice = SampleRecords.named(SampleRecords.coop, SampleRecords.coop, SampleRecords.hipro)
    let foreign = SampleRecords.named(SampleRecords.coop, record("X", [(1, 0.5), (2, 0.5)], task: "zoo"))
    let cases: [(runs: [NamedRecord], baseline: String, words: String)] = [
      (runs, "hippo", "no run"), (twice, "coop", "2 runs"), (foreign, "coop", "other tasks"),
    ]
    for (runs, baseline, words) in cases {
      let error = #expect(throws: BanyanError.self, "\(baseline)") {
        try PairedDifferences(runs, baseline: baseline)
      }
      #expect(error?.kind == .usage && error?.subject == "--baseline \(baseline)", "\(error as Any)")
      #expect(error?.message.contains(words) == true && error?.remedy.isEmpty == false, "\(error as Any)")
    }
    // The folder says which of two runs of a method is meant.
    #expect(try PairedDifferences(twice, baseline: "run-2").rows.map(\.run) == ["run-1", "run-3"])
  }
}
