import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

struct ListFileReaderTests {
  private func folder(_ files: [String: String]) throws -> TemporaryFolder {
    var all: [String: String] = [:]
    for task in ["Art", "Clipart"] {
      for name in ["Alarm_Clock", "Desk Lamp"] {
        for i in 1...3 { all["img/\(task)/\(name)/0 \(i).jpg"] = "\(task)\(name)\(i)" }
      }
    }
    return try TemporaryFolder(all.merging(files) { $1 })
  }

  private func lines(_ task: String, _ i: Int) -> String {
    "img/\(task)/Alarm_Clock/0 \(i).jpg 0\r\nimg/\(task)/Desk Lamp/0 \(i).jpg\t1 \r\n"
  }

  @Test func `reads train and test lists as tasks, with spaces in paths`() throws {
    let folder = try folder([
      "Art_train.txt": lines("Art", 1), "Art_test.txt": lines("Art", 2) + "\n" + lines("Art", 3),
      "Clipart.txt": lines("Clipart", 1) + lines("Clipart", 2),
    ])
    let suite = try folder.load()
    #expect(suite.tasks.map(\.name) == ["Art", "Clipart"])
    #expect(suite.tasks[0].classNames == ["Alarm Clock", "Desk Lamp"])
    #expect(
      Set(suite.tasks[0].samples.filter { $0.split == .train }.map(\.path)) == [
        "img/Art/Alarm_Clock/0 1.jpg", "img/Art/Desk Lamp/0 1.jpg",
      ])
    #expect(suite.tasks[0].samples.count { $0.split == .test } == 4)
    #expect(suite.tasks[1].samples.map(\.split) == [nil, nil, nil, nil])
  }

  @Test(arguments: ["Art_5_train.txt", "Art_train_5.txt"]) func `takes a number beside the split word for a percentage`(
    name: String
  ) throws {
    let folder = try folder([name: lines("Art", 1), "Art_test.txt": lines("Art", 2)])
    #expect(try folder.load().tasks.map(\.name) == ["Art"])
    let ten = name.replacing("5", with: "10")
    try folder.write(ten, lines("Art", 3))
    expectError(.usage, "task Art", "5, 10 percent", "listPercentage") { _ = try folder.load() }
    let suite = try folder.load("", TaskLoadingOptions(listPercentage: 10))
    #expect(suite.tasks[0].samples.filter { $0.split == .train }.map(\.path).first == "img/Art/Alarm_Clock/0 3.jpg")
    expectError(.usage, "no list of 20 percent", "There are 5, 10.") {
      _ = try folder.load("", TaskLoadingOptions(listPercentage: 20))
    }
  }

  @Test func `keeps numbers that are not percentages in the name`() throws {
    let folder = try folder(["Art_10.txt": lines("Art", 1), "Art_2020_train.txt": lines("Art", 2)])
    #expect(try folder.load().tasks.map(\.name) == ["Art_10", "Art_2020"])
  }

  @Test func `prefers split lists to the list of all`() throws {
    let folder = try folder([
      "Art.txt": lines("Art", 1) + lines("Art", 2), "Art_train.txt": lines("Art", 1), "Art_test.txt": lines("Art", 2),
    ])
    #expect(try folder.load().tasks[0].samples.allSatisfy { $0.split != nil })
  }

  @Test func `refuses two lists of one split`() throws {
    let folder = try folder(["Art_test.txt": lines("Art", 1), "Art_testing.txt": lines("Art", 2)])
    expectError(.malformed, "the same split of the task Art") { _ = try folder.load() }
  }

  @Test(arguments: [
    ("a/1.jpg 0\na/2.jpg\n", ["line 2", "expected a path and an integer label", "a/2.jpg"]),
    ("a/1.jpg 0\na/2.jpg 1.5\n", ["line 2", "expected a path and an integer label"]),
    ("a/1.jpg 0\n1.jpg 1\n", ["line 2", "expected <class>/<image>"]),
    ("a/1.jpg 0\nb/2.jpg 0\n", ["line 2", "label 0 is b here, but a at"]),
    ("a/1.jpg 0\na/2.jpg 1\n", ["two classes have the name a"]),
    ("a/1.jpg 1\nb/2.jpg 2\n", ["label out of range: 2", "label 0"]),
    ("a/1.jpg 0\nb/2.jpg -3\n", ["line 2", "found -3"]),
    ("\n \n", ["no images in the list"]),
  ])
  func `says which line does not fit, and why`(text: String, parts: [String]) throws {
    let folder = try TemporaryFolder(["x.txt": text])
    let error = #expect(throws: (any Error).self) { try folder.load("x.txt") }
    for part in parts { #expect("\(error.map { "\($0)" } ?? "")".contains(part)) }
  }

  @Test func `refuses a percentage where the layout has none`() throws {
    let folder = try TemporaryFolder(smallTree)
    expectError(.usage, "percentage", "folders") { _ = try folder.load("", TaskLoadingOptions(listPercentage: 5)) }
  }
}
