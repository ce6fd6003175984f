import BanyanFoundation
import BanyanTasks
import Testing

struct CoOpSplitReaderTests {
  private let split = """
    {"train": [["i/1.jpg", 0, "hot_dog"], ["i/2.jpg", 1, "t-shirt"]], "val": [["i/3.jpg", 1, "t-shirt"]],
     "test": [["i/4.jpg", 0, "hot_dog"]]}
    """

  private func folder(_ files: [String: String]) throws -> TemporaryFolder {
    let images = ["i/1.jpg": "1", "i/2.jpg": "2", "i/3.jpg": "3", "i/4.jpg": "4"]
    return try TemporaryFolder(files.merging(images) { $1 })
  }

  @Test func `reads one file as one task`() throws {
    let suite = try folder(["split_zhou_Food.json": split]).load("split_zhou_Food.json")
    #expect(suite.tasks.map(\.name) == ["Food"])
    #expect(suite.tasks[0].classNames == ["hot dog", "t-shirt"])
    #expect(suite.tasks[0].samples.map(\.path) == ["i/1.jpg", "i/2.jpg", "i/3.jpg", "i/4.jpg"])
    #expect(suite.tasks[0].samples.map(\.label) == [0, 1, 1, 0])
    #expect(suite.tasks[0].samples.map(\.split) == [.train, .train, .validation, .test])
  }

  @Test func `reads a folder of files as tasks, beside tasks.json`() throws {
    let folder = try folder(["b.json": split, "split_zhou_a.json": split, "tasks.json": #"{"templates": ["{}"]}"#])
    // The images lie in a folder of their own, which looks like one class.
    let suite = try folder.load("", TaskLoadingOptions(format: .coopJSON))
    #expect(suite.tasks.map(\.name) == ["a", "b"])
    #expect(suite.tasks[0].templates == ["{}"])
    let images = TaskLoadingOptions(format: .coopJSON, only: ["b"], imageRoot: folder.path)
    #expect(try folder.load("", images).tasks == [suite.tasks[1]])
    try folder.write("a.json", split)
    expectError(.malformed, "is the task a too") { _ = try folder.load("", TaskLoadingOptions(format: .coopJSON)) }
  }

  @Test(arguments: [
    (
      #"{"train": [["i/1.jpg", 0, "a"], ["i/2.jpg", 2, "b"]]}"#,
      ["train[1]", "label out of range: 2", "2 classes", "label 1"]
    ),
    (#"{"train": [["i/1.jpg", 0, "a"], ["i/2.jpg", -1, "b"]]}"#, ["train[1]", "0 or more, found -1"]),
    (#"{"train": [["i/1.jpg", 0, "a"]], "test": [["i/2.jpg", 0, "b"]]}"#, ["test[0]", "label 0 is b here, but a at"]),
    (#"{"train": [["i/1.jpg", 0, "a"], ["i/2.jpg", 1, "a"]]}"#, ["two classes have the name a"]),
    (#"{"train": [["i/1.jpg", "0", "a"]]}"#, ["train.[0].[1]"]),
    (#"{"train": [["i/1.jpg", 0]]}"#, ["train.[0]"]),
    (#"{"train": [["i/1.jpg", 0, "a", 3]]}"#, ["expected [path, label, class name]"]),
    (#"{"train": [["", 0, "a"]]}"#, ["train[0]", "expected a path"]),
    (#"{"train": []}"#, ["no images"]),
    (#"{"tain": [["i/1.jpg", 0, "a"]]}"#, ["tain", "no such key", "Did you mean train?"]),
    (#"{"test": [["i/1.jpg", 0, "a"]]}"#, ["train", "the key is missing"]),
    (#"{"train": [["i/1.jpg", 99999999999999999999, "a"]]}"#, ["s.json"]),
    (#"{"train": "#, ["s.json"]),
  ])
  func `says which entry does not fit, and why`(text: String, parts: [String]) throws {
    let folder = try folder(["s.json": text])
    let error = #expect(throws: (any Error).self) { try folder.load("s.json") }
    for part in parts { #expect("\(error.map { "\($0)" } ?? "")".contains(part)) }
  }
}
