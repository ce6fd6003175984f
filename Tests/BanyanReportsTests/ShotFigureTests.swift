import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct ShotFigureTests {
  /// A run of `title` on so many pictures of one class.
  private func run(_ title: String, _ pictures: Int, _ averages: [Double], name: String) -> NamedRecord {
    let train = (0..<pictures).map { "t\($0)" }
    let runs = averages.enumerated().map { index, value in
      SampleRecords.run(seed: UInt64(index + 1), [("art", value), ("real world", value)], train: train)
    }
    return NamedRecord(name: name, record: SampleRecords.record(title, runs))
  }

  private func page(_ runs: [NamedRecord]) throws -> String {
    String(decoding: try ReportPage(runs).html, as: UTF8.self)
  }

  @Test func `methods with several amounts of pictures are lines with bands`() throws {
    let runs = [
      run("CoOp", 1, [0.4, 0.5], name: "coop-1"), run("HiPro", 4, [0.6, 0.7], name: "hipro-4"),
      run("CoOp", 4, [0.55, 0.65], name: "coop-4"), run("HiPro", 1, [0.5, 0.6], name: "hipro-1"),
      run("Zero-shot", 1, [0.3, 0.3], name: "zero"),
    ]
    let text = try page(runs)
    #expect(text.contains("How many pictures it takes"))
    #expect(text.contains("CoOp: 45.0 % with 1.0 a class, 60.0 % with 4.0 a class."))
    #expect(text.contains("HiPro, 4.0 a class: 65.0 ± 7.1 % (hipro-4)"))
    #expect(text.components(separatedBy: "<polygon").count - 1 == 2)
    #expect(try page(runs) == text)
  }

  @Test func `a second run on as many pictures is a curve of its own`() throws {
    let text = try page([
      run("CoOp", 1, [0.4], name: "a"), run("CoOp", 4, [0.5], name: "b"), run("CoOp", 4, [0.6], name: "wide"),
    ])
    #expect(text.contains("CoOp: 40.0 % with 1.0 a class, 50.0 % with 4.0 a class."))
    #expect(text.contains("CoOp (wide): 60.0 % with 4.0 a class."))
  }

  @Test func `runs of one method with other settings are curves of their own`() throws {
    let runs = [1, 4].flatMap { pictures in
      [("joint", 0.4), ("alone", 0.5)].map { name, value in
        var run = run("MmAP", pictures, [value + Double(pictures) / 100], name: name)
        run.record.experiment = .object(["options": .string(name), "samples": .string("\(pictures) shots")])
        return run
      }
    }
    for order in [runs, [runs[0], runs[1], runs[3], runs[2]]] {
      let text = try page(order)
      #expect(text.contains("MmAP: 41.0 % with 1.0 a class, 44.0 % with 4.0 a class."))
      #expect(text.contains("MmAP (alone): 51.0 % with 1.0 a class, 54.0 % with 4.0 a class."))
    }
  }

  @Test func `one amount of pictures is no curve`() throws {
    #expect(
      !(try page([run("CoOp", 2, [0.4], name: "a"), run("HiPro", 2, [0.5], name: "b")])).contains("How many pictures"))
  }
}
