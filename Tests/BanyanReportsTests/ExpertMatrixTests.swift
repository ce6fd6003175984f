import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct ExpertMatrixTests {
  private func matrix() -> ExpertMatrix {
    ExpertMatrix(
      command: ["banyan", "recommend"], tasks: ["owls", "crows & co", "finches"],
      experts: ["runs/a", "runs/b", "runs/c"],
      distances: [[0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [0.2, 0.3, 0.1]],
      errors: [[0.2, 0.1, 0.4], [0.3, 0.5, nil], [nil, nil, nil]],
      isAllowed: [[true, true, true], [true, false, true], [true, true, true]], selected: [0, 2, 2],
      rule: "asymmetric distance (α = 0.15)")
  }

  @Test func `the best is the lowest known error of those allowed`() {
    let matrix = matrix()
    #expect(matrix.best(0) == 1 && matrix.best(1) == 0 && matrix.best(2) == nil)
    // Only the first task has an error of what was selected.
    let random = (0.2 + 0.1 + 0.4) / 3
    let summary = matrix.summary
    #expect(summary?.selected == 0.2 && summary?.best == 0.1 && summary?.hits == 0 && summary?.tasks == 1)
    #expect(abs((summary?.random ?? 0) - random) < 1e-15)
    var without = matrix
    without.errors = matrix.errors.map { $0.map { _ in nil } }
    #expect(without.summary == nil)
  }

  @Test func `text and figure name the selection, the same bytes every time`() {
    let matrix = matrix()
    let text = matrix.text(width: 100)
    #expect(text.contains("→ runs/a") && text.contains("10.0 *") && text.contains("crows & co"))
    #expect(text.contains("on 0 of 1 tasks"))
    let svg = matrix.svg(name: "experts")
    #expect(svg == matrix.svg(name: "experts"))
    #expect(svg.contains("crows &amp; co") && svg.contains("runs/b on owls: distance 0.200, error 10.0 %"))
    #expect(svg.contains("the best expert for owls") && svg.contains("learned from it"))
  }

  @Test func `a file brings it back, and a ragged one is refused`() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "banyan-experts-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    var matrix = matrix()
    try JSONDocument.write(matrix, to: url)
    #expect(try ExpertMatrix.read(url) == matrix)
    matrix.distances[1].removeLast()
    try JSONDocument.write(matrix, to: url)
    #expect(throws: BanyanError.self) { try ExpertMatrix.read(url) }
    matrix = self.matrix()
    matrix.selected[0] = 7
    try JSONDocument.write(matrix, to: url)
    #expect(throws: BanyanError.self) { try ExpertMatrix.read(url) }
  }

  @Test func `a map colours groups and draws icons, the same bytes every time`() throws {
    let places = (0..<6).map { MapRecord.Place(name: "p\($0)", group: $0 < 3 ? "a" : "b <i>", x: Double($0), y: 1) }
    var map = MapRecord(title: "A map", note: "a note", divergence: 0.1, places: places)
    let plain = MapFigure(map).svg(name: "map")
    #expect(plain == MapFigure(map).svg(name: "map"))
    #expect(plain.contains("b &lt;i&gt;") && plain.contains("a note") && plain.contains("p0, a"))
    map.icons = places.map { _ in ["##.", "..#", "..."] }
    let icons = MapFigure(map).svg(name: "map")
    // A run of two and a dot, six times, on six fields.
    #expect(icons.components(separatedBy: "<rect").count - plain.components(separatedBy: "<rect").count == 18)
    map.places = []
    map.icons = []
    #expect(!MapFigure(map).svg(name: "empty").contains("nan"))
    var page = NamedRecord(name: "hipro", record: SampleRecords.hipro)
    page.maps = [MapRecord(title: "Features", divergence: 0, places: places)]
    let html = String(decoding: try ReportPage([page]).html, as: UTF8.self)
    #expect(html.contains("What lies near what") && html.contains("Features"))
  }
}
