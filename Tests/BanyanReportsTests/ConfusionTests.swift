import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct ConfusionTests {
  private func run(classes: Int = 3) -> NamedRecord {
    var record = SampleRecords.hipro
    let names = (0..<classes).map { $0 == 0 ? "cat & co" : "class \($0)" }
    for index in record.runs.indices {
      for task in record.runs[index].tasks.keys {
        var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        for row in 0..<classes { confusion[row][row] = 8 }
        confusion[0][1] = 2
        confusion[2][0] = 1
        record.runs[index].tasks[task]?.confusion = confusion
        record.runs[index].tasks[task]?.classNames = names
        record.runs[index].tasks[task]?.mistakes = [
          Mistake(image: 0, label: 0, predicted: 1, confidence: index == 0 ? 0.7 : 0.9),
          // Of an image that the record does not have.
          Mistake(image: 99, label: 2, predicted: 0, confidence: 0.99),
        ]
      }
    }
    return NamedRecord(name: "hipro", record: record)
  }

  @Test func `the page names what is taken for what, with the surest mistake`() throws {
    var asked: [String] = []
    let page = try ReportPage([run()]) { _, sample in
      asked.append(sample.path)
      return Data([1, 2, 3])
    }
    let html = String(decoding: page.html, as: UTF8.self)
    #expect(html.contains("Where it fails") && html.contains("The worst confusions"))
    // Two seeds of two in ten.
    #expect(html.contains("<td>cat &amp; co</td><td>class 1</td><td>4</td><td>20.0 %</td>"))
    #expect(html.contains("data:image/png;base64,AQID") && html.contains("90.0 % sure"))
    #expect(html.contains("cat &amp; co taken for class 1: 4 of 20, 20.0 %"))
    #expect(Set(asked) == ["art/e1.png", "real world/e1.png"])
    #expect(page.svgFiles.contains { $0.name == "confusion-1.svg" })
    #expect(try ReportPage([run()]).html == ReportPage([run()]).html)
  }

  @Test func `without images, with many classes, or from an old record it still holds`() throws {
    let plain = String(decoding: try ReportPage([run()]).html, as: UTF8.self)
    #expect(!plain.contains("<img") && plain.contains("90.0 % sure"))
    let many = try ReportPage([run(classes: 80)])
    #expect(!many.svgFiles.contains { $0.name.hasPrefix("confusion") })
    #expect(String(decoding: many.html, as: UTF8.self).contains("The worst confusions"))
    let old = String(
      decoding: try ReportPage([NamedRecord(name: "hipro", record: SampleRecords.hipro)]).html, as: UTF8.self)
    #expect(!old.contains("Where it fails"))
    var damaged = run()
    for task in damaged.record.runs[0].tasks.keys { damaged.record.runs[0].tasks[task]?.confusion = [[1]] }
    #expect(!String(decoding: try ReportPage([damaged]).html, as: UTF8.self).contains("Where it fails"))
  }

  @Test func `words stand beside the run that learned them`() throws {
    var named = run()
    named.words = [
      WordsRecord(
        seed: 1,
        prompts: [.init(name: "root: all tasks", vectors: [[.init(word: "sketch<", distance: 0.5)]])],
        typicalDistance: 0.8)
    ]
    let html = String(decoding: try ReportPage([named]).html, as: UTF8.self)
    #expect(html.contains("What the prompts lie near") && html.contains("sketch&lt; (0.50)"))
    #expect(named.words[0].text.contains("root: all tasks") && named.words[0].text.contains("0.80 apart"))
  }
}
