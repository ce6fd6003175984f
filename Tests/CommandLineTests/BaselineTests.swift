import BanyanFoundation
import BanyanTestSupport
import Foundation
import Testing

/// `banyan compare --baseline` against numbers worked out from the records' JSON.
@Suite struct BaselineTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  /// The mean over tasks of top-1, seed 1 and seed 2.
  private func averages(_ run: String) throws -> [Double] {
    let record = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("runs/\(run)/record.json"))
    let runs = try #require(record["runs"]?.arrayValue)
    #expect(runs.compactMap { $0["seed"]?.intValue } == [1, 2])
    return try runs.map { run in
      let values = try shop.world.tasks.map { try #require(run["tasks"]?[$0]?["top1"]?.doubleValue) }
      return values.reduce(0, +) / Double(values.count)
    }
  }

  @Test func differencesAreThoseOfTheRecords() throws {
    let runs = Workshop.methods.map { "runs/\($0)" }
    let outcome = try Program.run(["compare"] + runs + ["--baseline", "coop", "--format", "json"], in: shop.folder)
    #expect(outcome.code == 0, "\(outcome)")
    let both = try JSONDecoder().decode(JSONValue.self, from: Data(outcome.out.utf8))
    #expect(both[path: "comparison.rows"]?.arrayValue?.count == 4)
    #expect(both[path: "differences.baseline"]?.stringValue == "coop")
    let rows = try #require(both[path: "differences.rows"]?.arrayValue)
    #expect(rows.map { $0["run"]?.stringValue } == ["zero-shot", "coop-mt", "hipro"])
    let base = try averages("coop")
    for row in rows {
      let own = try averages(try #require(row["run"]?.stringValue))
      let differences = zip(own, base).map { $0 - $1 }
      let mean = (differences[0] + differences[1]) / 2
      // Two values: sd = |d₁ − d₂| / √2, and t(0.975, 1) = 12.7062.
      let halfWidth = 12.706_204_736 * abs(differences[0] - differences[1]) / 2
      let found = try #require(row["differences"]?.arrayValue).compactMap(\.doubleValue)
      #expect(found.count == 2 && zip(found, differences).allSatisfy { abs($0 - $1) < 1e-12 }, "\(row)")
      #expect(abs(try #require(row["mean"]?.doubleValue) - mean) < 1e-12, "\(row)")
      #expect(abs(try #require(row["halfWidth"]?.doubleValue) - halfWidth) < 1e-9, "\(row)")
    }
  }

  @Test func everyReadableFormShowsThemAndAWrongBaselineIsRefused() throws {
    for format in ["text", "markdown"] {
      let outcome = try shop.run(
        "compare", "runs/coop", "runs/hipro", "--baseline", "hipro", "--format",
        format)
      #expect(outcome.code == 0 && outcome.out.contains("Against hipro"), "\(outcome)")
    }
    let unknown = try shop.run("compare", "runs/coop", "runs/hipro", "--baseline", "hipo")
    #expect(unknown.code == 64 && unknown.err.contains("--baseline hipo") && unknown.err.contains("coop, hipro"))
    let table = try shop.run("compare", "runs/coop", "runs/hipro", "--baseline", "coop", "--format", "csv")
    #expect(table.code == 64 && table.err.contains("--baseline") && table.out.isEmpty, "\(table)")
  }
}
