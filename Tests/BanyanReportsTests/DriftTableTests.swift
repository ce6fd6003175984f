import BanyanReports
import Testing

@Suite struct DriftTableTests {
  private func table(_ values: [Double?], level: Double = 0.05) -> DriftTable {
    DriftTable(values.enumerated().map { .init(task: "t\($0)", pictures: 9, pValue: $1) }, level: level)
  }

  @Test func `p-values are corrected as Holm has it`() {
    let table = table([0.04, 0.01, nil, 0.03])
    let corrected = table.rows.map(\.corrected)
    // 3 · 0.01, 2 · 0.03, and no less than that for 0.04; who has none does not count.
    for (found, expected) in zip(corrected, [0.06, 0.03, nil, 0.06]) {
      #expect((found == nil) == (expected == nil) && abs((found ?? 0) - (expected ?? 0)) < 1e-12, "\(corrected)")
    }
    #expect(table.rows.map(\.hasMoved) == [false, true, false, false])
  }

  @Test func `no corrected p-value is above one, and the level belongs to all tasks together`() {
    #expect(table([0.6, 0.9]).rows.map(\.corrected) == [1, 1])
    #expect(table([0.02]).rows.map(\.hasMoved) == [true])
    #expect(table([0.02, 0.5, 0.5]).rows.map(\.hasMoved) == [false, false, false])
    #expect(table([0.02, 0.5, 0.5], level: 0.1).rows.map(\.hasMoved) == [true, false, false])
  }
}
