import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct ComparisonTableTests {
  let table = ComparisonTable(SampleRecords.named(SampleRecords.coop, SampleRecords.hipro))

  @Test func `Text is aligned, in per cent, with a star at the best as shown`() {
    #expect(
      table.text(width: 80) == """
        Method          art   real world      Average  Trained    Time
        CoOp    61.0 ± 1.4   72.0 ± 2.8*  66.5 ± 2.1      8.2k    1:23
        HiPro   65.0 ± 1.4*  71.0 ± 1.4   68.0 ± 1.4*    41.0k  12.3 s

        """)
    // Where the spreads of the tasks have no room, the average keeps its own.
    #expect(
      table.text(width: 60) == """
        Method    art  real world      Average  Trained    Time
        CoOp    61.0        72.0*  66.5 ± 2.1      8.2k    1:23
        HiPro   65.0*       71.0   68.0 ± 1.4*    41.0k  12.3 s

        """)
  }

  @Test func `A narrow terminal shortens names, then continues columns below`() {
    let names = ["domain_one", "domain_two", "漢字の世界です"]
    let runs = [SampleRecords.run(seed: 1, names.map { ($0, 0.5) })]
    let wide = ComparisonTable(SampleRecords.named(SampleRecords.record("Prompt method", runs)))
    for width in 24...120 {
      let lines = wide.text(width: width).split(separator: "\n")
      #expect(lines.allSatisfy { columns($0) <= width }, "width \(width)")
    }
    #expect(
      wide.text(width: 60) == """
        Method         dom…ne  dom…wo  漢…す  Average  Trained  Time
        Prompt method   50.0    50.0   50.0     50.0      8.2k  1:23

        """)
  }

  /// Terminal columns, counted for the characters of this test only.
  private func columns(_ line: Substring) -> Int {
    line.unicodeScalars.reduce(0) { $0 + (("\u{3040}"..."\u{9FFF}").contains($1) ? 2 : 1) }
  }

  @Test func `Markdown and CSV escape what would break them`() {
    let runs = [SampleRecords.run(seed: 1, [("a|b", 0.5), ("x, \"y\"", 0.25)])]
    let table = ComparisonTable(SampleRecords.named(SampleRecords.record("One", runs)))
    #expect(
      table.markdown == """
        | Method | a\\|b | x, "y" | Average | Trained parameters | Seconds |
        | --- | ---: | ---: | ---: | ---: | ---: |
        | One | 50.0 | 25.0 | 37.5 | 8,192 | 83.4 |

        """)
    #expect(
      table.csv
        == "method,run,a|b,a|b_std,\"x, \"\"y\"\"\",\"x, \"\"y\"\"_std\",average,average_std,trainable_parameters,seconds\r\n"
        + "One,run-1,0.5,,0.25,,0.375,,8192,83.4\r\n")
    #expect(self.table.markdown.contains("| HiPro | **65.0 ± 1.4** | 71.0 ± 1.4 | **68.0 ± 1.4** | 40,960 | 12.3 |"))
  }

  @Test func `JSON is the table itself`() throws {
    let table = table
    #expect(try JSONDocument.decode(ComparisonTable.self, from: table.json(), subject: "table") == table)
  }

  @Test func `Control characters of a name neither break lines nor reach the terminal`() {
    let runs = [SampleRecords.run(seed: 1, [("a\n\u{1B}[31m", 0.5)])]
    let text = ComparisonTable(SampleRecords.named(SampleRecords.record("One", runs))).text(width: 80)
    #expect(text.split(separator: "\n").count == 2 && !text.contains("\u{1B}"))
  }

  @Test func `Equal methods are told apart by their folders and equal values share the star`() {
    let both = ComparisonTable(SampleRecords.named(SampleRecords.coop, SampleRecords.coop))
    #expect(both.rows.map(\.label) == ["CoOp (run-1)", "CoOp (run-2)"] && both.notes.isEmpty)
    #expect(both.text(width: 90).filter { $0 == "*" }.count == 6)
    let one = ComparisonTable(SampleRecords.named(SampleRecords.coop))
    #expect(!one.text(width: 90).contains("*"))
  }

  @Test func `A fair comparison has no notes, every unfair one has its own`() {
    #expect(table.notes.isEmpty)
    func notes(_ other: RunRecord) -> String {
      ComparisonTable(SampleRecords.named(SampleRecords.coop, other)).notes.joined(separator: "\n")
    }
    func run(
      _ seed: UInt64, _ tasks: [String] = ["art", "real world"], train: [String] = ["t1", "t2"], test: String = "e1"
    )
      -> SeedRun
    { SampleRecords.run(seed: seed, tasks.map { ($0, 0.5) }, train: train, test: [test]) }
    #expect(notes(SampleRecords.record("X", SampleRecords.coop.runs, model: "other")).contains("different backbones"))
    #expect(
      notes(SampleRecords.record("X", [run(1, ["art"]), run(2, ["art"])])).contains("different tasks (real world)"))
    #expect(notes(SampleRecords.record("X", [run(1), run(3)])).contains("different seeds (1, 2; 1, 3)"))
    #expect(
      notes(SampleRecords.record("X", [run(1, train: ["t1"]), run(2, train: ["t1"])]))
        .contains("different numbers of images (art: 2 and 1)"))
    #expect(
      notes(SampleRecords.record("X", [run(1, train: ["t1", "t9"]), run(2)]))
        .contains("different images of the same seed (art, real world)"))
    #expect(notes(SampleRecords.record("X", [run(1, test: "e9"), run(2)])).contains("tested on different images"))
    #expect(notes(SampleRecords.record("X", [run(1, train: ["t2", "t1"]), run(2)])).isEmpty)
    let text = ComparisonTable(SampleRecords.named(SampleRecords.coop, SampleRecords.record("X", [run(1)]))).text(
      width: 90)
    #expect(text.contains("Not a fair comparison: run-1 and run-2 have different seeds"))
  }

  @Test func `Columns are the union of tasks and absent values are dashes`() {
    let other = SampleRecords.record("X", [SampleRecords.run(seed: 1, [("zoo", 0.5), ("art", 0.25)])])
    let table = ComparisonTable(SampleRecords.named(SampleRecords.coop, other))
    #expect(
      table.tasks == ["art", "real world", "zoo"] && table.rows[0].tasks[2] == nil && table.rows[1].tasks[1] == nil)
    #expect(table.text(width: 90).contains("–") && table.csv.contains("X,run-2,0.25,,,,0.5,,"))
    #expect(ComparisonTable([]).rows.isEmpty && !ComparisonTable([]).text(width: 80).isEmpty)
  }

  @Test func `Combinations have a table of their own`() throws {
    #expect(CombinationTable(SampleRecords.coop) == nil)
    let table = try #require(CombinationTable(SampleRecords.hipro))
    #expect(
      table.text(width: 80) == """
          Combination   art  real world     Average
          individual   55.0        55.0  55.0 ± 7.1
        > average      65.0        65.0  65.0 ± 7.1

        """)
  }
}
