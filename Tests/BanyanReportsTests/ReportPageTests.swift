import BanyanFoundation
import BanyanReports
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct ReportPageTests {
  /// A run with affinities and a tree over tasks whose names would break markup.
  private static func structured(_ names: [String] = ["art & <b>craft</b>", "photo", "\"sketch\""]) -> RunRecord {
    var run = SampleRecords.run(seed: 1, names.enumerated().map { ($1, 0.5 + 0.01 * Double($0)) })
    let values = names.indices.map { i in names.indices.map { j in i == j ? 1 : 1 / Double(2 + i + j) } }
    run.affinity = RecordedAffinity(names: names, values: values, kind: "gradient-cosine")
    var nodes = names.enumerated().map { RecordedTree.Node(index: $0, name: $1) }
    var top = 0
    for leaf in names.indices.dropFirst() {
      nodes.append(
        RecordedTree.Node(index: nodes.count, children: [top, leaf], mergeAffinity: 1 / Double(2 + leaf)))
      top = nodes.count - 1
    }
    run.tree = RecordedTree(newick: "", nodes: nodes)
    run.lossCurve = LossCurve(
      steps: Array(0..<3000),
      tasks: Dictionary(uniqueKeysWithValues: names.map { ($0, [Double](repeating: 1, count: 3000)) }))
    return SampleRecords.record("Tree & prompts", [run], trained: 0)
  }

  private let page: ReportPage

  init() throws {
    page = try ReportPage(SampleRecords.named(SampleRecords.coop, SampleRecords.hipro, Self.structured()))
  }

  private var html: String { String(decoding: page.html, as: UTF8.self) }

  @Test func `every figure is well-formed and has a title, a summary and no number that is none`() throws {
    let files = page.svgFiles
    let names = [
      "cost", "tasks", "affinity-1", "reliability-1", "reliability-2", "reliability-3", "training-1", "training-2",
      "training-3",
    ]
    #expect(files.map(\.name) == names.map { "\($0).svg" })
    for file in files {
      let text = String(decoding: file.data, as: UTF8.self)
      #expect(Self.isWellFormed(file.data), "\(file.name): \(text.prefix(300))")
      #expect(text.contains("<title id=") && text.contains("<desc id=") && text.contains("prefers-color-scheme:dark"))
      #expect(!text.contains("nan") && !text.contains("inf\"") && !text.contains("–\""), "\(file.name)")
    }
  }

  @Test func `the same records give the same bytes`() throws {
    let again = try ReportPage(SampleRecords.named(SampleRecords.coop, SampleRecords.hipro, Self.structured()))
    #expect(again.html == page.html)
    #expect(again.svgFiles.map(\.data) == page.svgFiles.map(\.data))
  }

  @Test func `the page needs nothing from elsewhere and shows names as they are`() throws {
    let html = html.replacingOccurrences(of: "xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    for outside in ["http:", "https:", "src=", "@import", "url("] { #expect(!html.contains(outside), "\(outside)") }
    #expect(!html.contains("<b>craft</b>") && html.contains("art &amp; &lt;b&gt;craft&lt;/b&gt;"))
    // What stands in the sections, ids are there once.
    for id in ["cost", "tasks", "affinity-1"] {
      #expect(html.components(separatedBy: "<figure id=\"\(id)\">").count == 2)
    }
  }

  @Test func `the best of a column is bold, the second underlined`() {
    #expect(html.contains("<td data-value=\"0.680000\"><b>68.0 ± 1.4</b></td>"))
    #expect(html.contains("<td data-value=\"0.665000\"><u>66.5 ± 2.1</u></td>"))
  }

  @Test func `the answer weighs seeds and cost, and names no best among runs that do not compare`() throws {
    let fair = try ReportPage(SampleRecords.named(SampleRecords.coop, SampleRecords.hipro))
    let text = String(decoding: fair.html, as: UTF8.self)
    #expect(text.contains("Highest average top-1: <strong>HiPro</strong> (68.0 ± 1.4 %), then <strong>CoOp</strong>"))
    #expect(text.contains("seeds differ by as much, so take them for equal"))
    #expect(text.contains("Within that spread <strong>CoOp</strong> (66.5 ± 2.1 %) trains least."))
    // The third run has other tasks.
    #expect(html.contains("no one of them is named best") && !html.contains("Highest average"))
    #expect(html.contains("class=\"note\""))
  }

  @Test func `embeddings of tasks are shown with their distances, their tree and their places`() throws {
    let names = ["art & <b>craft</b>", "photo", "sketch"]
    let nodes = [
      RecordedTree.Node(index: 0, name: names[0]), .init(index: 1, name: names[1]), .init(index: 2, name: names[2]),
      .init(index: 3, children: [1, 2], mergeAffinity: 0.9), .init(index: 4, children: [0, 3], mergeAffinity: 0.6),
    ]
    let table = EmbeddingTable(
      rows: names.map { .init(task: $0, samples: 1200, norm: 0.00123456, complexity: 0.25) },
      distances: [[0, 0.4, 0.4], [0.4, 0, 0.1], [0.4, 0.1, 0]], tree: RecordedTree(newick: "", nodes: nodes),
      probe: "the <small> tower")
    let map = MapRecord(
      title: "Tasks", divergence: 0.1,
      places: names.enumerated().map { .init(name: $1, group: $1, x: Double($0), y: 0) })
    let page = try ReportPage(
      SampleRecords.named(SampleRecords.coop), embeddings: [.init(table: table, map: map)])
    let html = String(decoding: page.html, as: UTF8.self)
    #expect(html.contains("Which tasks ask for the same") && html.contains("the &lt;small&gt; tower"))
    #expect(html.contains("<th scope=\"row\">photo</th><td>1,200</td><td>0.00123</td><td>0.250</td><td>sketch</td>"))
    #expect(page.svgFiles.map(\.name).contains("embeddings-1.svg"))
    #expect(page.svgFiles.map(\.name).contains("embeddings-map-1.svg"))
    #expect(page.svgFiles.allSatisfy { Self.isWellFormed($0.data) } && !html.contains("<b>craft</b>"))
    #expect(html.contains("photo and sketch: 0.90"))
    // One task alone has no distances.
    let one = EmbeddingTable(rows: Array(table.rows.prefix(1)), distances: [[0]], tree: nil)
    #expect(try one.svg(name: "one") == nil && table.svg(name: "three")?.contains("photo and sketch") == true)
  }

  @Test func `one run alone is no contest`() throws {
    let alone = try ReportPage(SampleRecords.named(SampleRecords.coop))
    let text = String(decoding: alone.html, as: UTF8.self)
    #expect(text.contains("One run on 2 tasks") && !text.contains("<b>6") && !text.contains("take them for equal"))
  }

  @Test func `more methods than colours have marks of other shapes`() throws {
    let records = (0..<32).map { number in
      NamedRecord(name: "run \(number)", record: SampleRecords.record("M\(number)", SampleRecords.coop.runs))
    }
    let svg = try #require(
      try ReportPage(records).svgFiles.first { String(decoding: $0.data, as: UTF8.self).contains("art, M0:") })
    let text = String(decoding: svg.data, as: UTF8.self)
    // The element that has a method's tip.
    func mark(_ number: Int) throws -> [Substring] {
      let end = try #require(text.range(of: "<title>art, M\(number):"))
      let start = try #require(text[..<end.lowerBound].lastIndex(of: "<"))
      let element = text[start..<end.lowerBound]
      let colour = try #require(element.range(of: "class=\"f s"))
      return [element.prefix { $0 != " " }, element[colour.upperBound...].prefix { $0 != "\"" }]
    }
    let marks = try (0..<24).map(mark)
    #expect(Set(marks).count == 24 && Set(marks.map { $0[0] }) == ["<circle", "<rect", "<polygon"])
  }

  @Test func `the seed of a drawn tree is named where there are several`() throws {
    var record = Self.structured()
    #expect(!String(decoding: try ReportPage(SampleRecords.named(record)).html, as: UTF8.self).contains("tree of seed"))
    record.runs.append(record.runs[0])
    record.runs[1].seed = 2
    #expect(
      String(decoding: try ReportPage(SampleRecords.named(record)).html, as: UTF8.self).contains("tree of seed 1"))
  }

  @Test func `fifty tasks and twenty runs stay small and finite`() throws {
    let names = (0..<50).map { "a task with a long name \($0)" }
    let records = (0..<20).map { number in
      var record = Self.structured(names)
      record.trainableParameters = 1 << number
      return NamedRecord(name: "run \(number)", record: record)
    }
    let large = try ReportPage(records)
    #expect(large.html.count < 5 << 20, "\(large.html.count >> 10) KiB")
    #expect(large.svgFiles.allSatisfy { Self.isWellFormed($0.data) })
  }

  @Test func `damaged and missing records are errors`() throws {
    #expect(throws: BanyanError.self) { try ReportPage([]) }
    var record = Self.structured()
    record.runs[0].affinity?.values.removeLast()
    #expect(throws: BanyanError.self) { try ReportPage(SampleRecords.named(record)) }
  }

  private static func isWellFormed(_ data: Data) -> Bool { XMLParser(data: data).parse() }
}
