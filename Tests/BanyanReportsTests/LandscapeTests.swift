import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct LandscapeTests {
  static func record(_ count: Int = 50) -> LandscapeRecord {
    let axis = (0..<count).map { 4 * Double($0) / Double(count - 1) - 2 }
    let loss = axis.map { y in axis.map { x in x * x + 2 * y * y } }
    let error = loss.map { $0.map { min(1, $0 / 8) } }
    let places = ["w_rand", "w_shr", "w_ind", "w_avg", "node 0", "node <2>"].enumerated().map { index, name in
      LandscapeRecord.Place(
        name: name, x: Double(index) / 4 - 1, y: 0.3 * Double(index) - 0.5, distance: index > 3 ? 0.4 : 0,
        trainLoss: 1 / Double(index + 1), testError: 0.25)
    }
    return LandscapeRecord(
      banyan: "0.1.0", command: ["banyan", "landscape"], runs: ["hipro"], task: "art & craft", seed: 3, x: axis,
      y: axis,
      trainLoss: loss, testError: error, places: places)
  }

  private func page(_ landscapes: [LandscapeRecord]) throws -> ReportPage {
    try ReportPage([NamedRecord(name: "hipro", record: SampleRecords.hipro, landscapes: landscapes)])
  }

  @Test func `the page shows what lies beside a run, the same bytes every time`() throws {
    let html = try page([Self.record()]).html
    let text = String(decoding: html, as: UTF8.self)
    #expect(try page([Self.record()]).html == html)
    #expect(text.contains("How flat is what was found?") && text.contains("art &amp; craft, seed 3: hipro"))
    #expect(text.contains("node &lt;2&gt;: loss 0.167, error 25.0 %, 0.40 from the plane"))
    for name in ["w_rand", "w_shr", "w_ind", "w_avg"] { #expect(text.contains(">\(name)</text>")) }
    let without = String(decoding: try page([]).html, as: UTF8.self)
    #expect(!without.contains("How flat"))
    // Boxes of one band are joined: far fewer than two grids of 2,500 cells.
    #expect(html.count < 400_000, "\(html.count) bytes")
  }

  @Test func `fifty tasks stay below five megabytes`() throws {
    #expect(try page([LandscapeRecord](repeating: Self.record(), count: 50)).html.count < 5_000_000)
  }

  @Test func `a flat, an endless and a tiny map can be drawn`() throws {
    var record = Self.record(2)
    #expect(!(try page([record]).html.isEmpty))
    record.trainLoss = [[1, 1], [1, 1]]
    record.testError = [[.nan, .infinity], [0, 1]]
    let text = String(decoding: try page([record]).html, as: UTF8.self)
    #expect(!text.contains("nan") && !text.contains("inf,"))
  }

  @Test func `records come back as they were written, and damaged ones are refused`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "landscapes-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let inside = folder.appending(path: LandscapeRecord.folderName)
    try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
    #expect(try LandscapeRecord.readAll(folder).isEmpty)
    let file = inside.appending(path: "task-0.json")
    var record = Self.record(5)
    try JSONDocument.write(record, to: file)
    #expect(try LandscapeRecord.readAll(folder) == [record])
    record.trainLoss.removeLast()
    try JSONDocument.write(record, to: file)
    #expect(throws: BanyanError.self) { try LandscapeRecord.readAll(folder) }
    record = Self.record(5)
    record.schema = 99
    try JSONDocument.write(record, to: file)
    #expect(throws: BanyanError.self) { try LandscapeRecord.readAll(folder) }
  }
}
