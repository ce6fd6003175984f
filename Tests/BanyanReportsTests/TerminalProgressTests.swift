import BanyanReports
import Testing

@Suite struct TerminalProgressTests {
  let state = TerminalProgress(
    label: "training", done: 60, total: 80, elapsedSeconds: 12, losses: [("art", 0.41234), ("real world", 1.2)])

  @Test func `A wide line has everything`() {
    #expect(
      state.line(width: 100)
        == "training [███████████████     ]   75%  60/80  5.0/s  0:04 left  art 0.412  real world 1.200")
  }

  @Test func `A narrow line leaves out what matters least and never exceeds its width`() {
    #expect(state.line(width: 14) == "training   75%")
    #expect(state.line(width: 26) == "training   75%  0:04 left")
    var last = 0
    for width in 0...120 {
      let line = state.line(width: width)
      #expect(line.count <= width)
      last = max(last, line.count)
    }
    #expect(last == state.line(width: 1000).count)
  }

  @Test func `Unknown totals, slow steps and odd counts are shown without nonsense`() {
    let unknown = TerminalProgress(label: "features", done: 7, total: 0, elapsedSeconds: 14)
    #expect(unknown.line(width: 80) == "features  7  2.0 s each")
    let start = TerminalProgress(label: "x", done: 0, total: 10, elapsedSeconds: 0)
    #expect(start.line(width: 80) == "x [                    ]    0%  0/10")
    let over = TerminalProgress(label: "x", done: 12, total: 10, elapsedSeconds: 3)
    #expect(over.line(width: 80) == "x [████████████████████]  100%  12/10  4.0/s")
    let almost = TerminalProgress(label: "x", done: 999, total: 1000, elapsedSeconds: 1)
    #expect(almost.line(width: 30).contains(" 99%"))
    for seconds in [Double.nan, .infinity, -1] {
      let odd = TerminalProgress(label: "x", done: 1, total: .max, elapsedSeconds: seconds, losses: [("a", .nan)])
      #expect(!odd.line(width: 80).isEmpty)
    }
    let wide = TerminalProgress(label: "漢字漢字", done: 1, total: 2, elapsedSeconds: 1)
    #expect(wide.line(width: 5) == "漢字…")
  }

  @Test func `Hours are shown as such`() {
    let slow = TerminalProgress(label: "x", done: 1, total: 2, elapsedSeconds: 3725)
    #expect(slow.line(width: 80).hasSuffix("1:02:05 left"))
  }
}
