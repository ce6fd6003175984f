import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

struct TaskLoadingTests {
  private struct Undecodable: Error {}

  private func verifying(_ skip: Bool) -> TaskLoadingOptions {
    TaskLoadingOptions(
      verifyImages: { url in if url.path.contains("bad") { throw Undecodable() } }, skipUnreadable: skip)
  }

  @Test func `says that a source is absent`() {
    expectError(.missingInput, "/no/such/place", "found nothing") { _ = try TaskSuite.load("/no/such/place") }
    expectError(.missingInput, "found nothing") { _ = try TaskSuite.load("") }
  }

  @Test func `lists the four layouts where none fits`() throws {
    for files in [[:], ["notes.txt": "hello world"], ["a/b/c/d/1.jpg": "x"], ["x.json": "[]"]] {
      let folder = try TemporaryFolder(files)
      expectError(
        files.isEmpty ? .missingInput : .malformed, folder.path, "no images", "<root>/<task>/<class>/<image>",
        "path,label", "\"train\"", "<task>_train.txt"
      ) { _ = try folder.load() }
    }
    let folder = try TemporaryFolder(["x.bin": "x"])
    expectError(.malformed, "x.bin", "no layout", "<root>/<task>") { _ = try folder.load("x.bin") }
    expectError(.missingInput, "no images") { _ = try folder.load("", TaskLoadingOptions(format: .folders)) }
    expectError(.missingInput, "no JSON files") { _ = try folder.load("", TaskLoadingOptions(format: .coopJSON)) }
    expectError(.missingInput, "no list files") { _ = try folder.load("", TaskLoadingOptions(format: .lists)) }
    expectError(.usage, "one CSV file") { _ = try folder.load("", TaskLoadingOptions(format: .csv)) }
    expectError(.usage, "expected a folder") { _ = try folder.load("x.bin", TaskLoadingOptions(format: .folders)) }
  }

  @Test func `finds each layout by looking`() throws {
    let images = ["i/a/deep/1.jpg": "1", "i/b/deep/2.jpg": "2"]
    let sources = [
      "t.csv": "path,label\ni/a/deep/1.jpg,a\ni/b/deep/2.jpg,b\n",
      "t.json": #"{"train": [["i/a/deep/1.jpg", 0, "a"], ["i/b/deep/2.jpg", 1, "b"]]}"#,
      "t.txt": "x/a/1.jpg 0\nx/b/2.jpg 1\n",
    ]
    for (name, text) in sources {
      let folder = try TemporaryFolder(images.merging([name: text]) { $1 })
      try folder.makeFolder("x")
      try folder.link("x/a", to: "../i/a/deep")
      try folder.link("x/b", to: "../i/b/deep")
      // `x` now looks like one task, so the folder has two layouts.
      expectError(.usage, "more than one layout", "folders") { _ = try folder.load() }
      #expect(try folder.load(name).tasks.map(\.samples.count) == [2])
      #expect(try folder.load(name).tasks[0].classNames == ["a", "b"])
    }
  }

  @Test func `loads only the tasks that are asked for`() throws {
    let folder = try TemporaryFolder(smallTree)
    #expect(try folder.load("", TaskLoadingOptions(only: ["sketch"])).tasks.map(\.name) == ["sketch"])
    #expect(
      try folder.load("", TaskLoadingOptions(only: ["sketch", "photo"])).tasks.map(\.name) == ["photo", "sketch"])
    expectError(.usage, "task skech", "no such task", "Did you mean sketch?") {
      _ = try folder.load("", TaskLoadingOptions(only: ["photo", "skech"]))
    }
    expectError(.usage, "Did you mean photo?") { _ = try folder.load().task(named: "phto") }
    #expect(try folder.load().task(named: "photo").name == "photo")
  }

  @Test func `names the first file that cannot be decoded`() throws {
    var files = smallTree
    for i in 10..<200 { files["sketch/t-shirt/bad\(i).jpg"] = "bad \(i)" }
    let folder = try TemporaryFolder(files)
    for _ in 0..<5 {
      expectError(.malformed, "sketch/t-shirt/bad10.jpg", "cannot be decoded", "--skip-unreadable") {
        _ = try folder.load("", verifying(false))
      }
    }
    let named = TaskLoadingOptions(verifyImages: { _ in throw BanyanError(.malformed, at: "JPEG", "no end") })
    expectError(.malformed, "photo/hot_dog/1.jpg", "JPEG: no end") { _ = try folder.load("", named) }
    let suite = try folder.load("", verifying(true))
    #expect(suite.skipped.count == 190)
    #expect(suite.skipped.allSatisfy { $0.reason == .unreadable && $0.task == "sketch" })
    #expect(suite.tasks.map(\.samples.count) == [4, 4])
  }

  @Test func `names a file that cannot be read`() throws {
    let folder = try TemporaryFolder(smallTree)
    try folder.link("photo/hot_dog/0.jpg", to: "/no/such/file")
    expectError(.missingInput, "photo/hot_dog/0.jpg", "cannot be read") { _ = try folder.load() }
    let suite = try folder.load("", TaskLoadingOptions(skipUnreadable: true))
    #expect(suite.skipped.map(\.path) == ["photo/hot_dog/0.jpg"])
    #expect(suite.skipped[0].detail.contains("cannot be read"))
  }

  @Test func `names a class that lost all its images`() throws {
    let folder = try TemporaryFolder(["t/a/1.jpg": "1", "t/b/bad.jpg": "2"])
    expectError(.missingInput, "task t, class b", "no image is left") { _ = try folder.load("", verifying(true)) }
  }

  @Test func `refuses a task of one class and classes of one name`() throws {
    let one = try TemporaryFolder(["t/only/1.jpg": "1"])
    expectError(.malformed, "task t", "two classes or more, found only alone") { _ = try one.load() }
    let twins = try TemporaryFolder(["t/hot_dog/1.jpg": "1", "t/hot-dog/1.jpg": "2"])
    expectError(.malformed, "the name hot dog", "hot-dog and hot_dog") { _ = try twins.load() }
  }

  @Test func `refuses one content in two splits, or drops the test copy`() throws {
    let folder = try TemporaryFolder([
      "1.jpg": "same", "2.jpg": "same", "3.jpg": "3", "4.jpg": "4", "5.jpg": "3", "6.jpg": "6",
      "t.csv":
        "path,label,split\n1.jpg,a,test\n2.jpg,a,train\n3.jpg,b,train\n4.jpg,b,test\n5.jpg,b,val\n6.jpg,a,test\n",
    ])
    expectError(.malformed, "task t", "two splits", "1.jpg (test, a)", "2.jpg (train, a)", "--drop-duplicates") {
      try folder.write("5.jpg", "5")
      _ = try folder.load("t.csv")
    }
    try folder.write("5.jpg", "3")
    let suite = try folder.load("t.csv", TaskLoadingOptions(dropDuplicates: true))
    #expect(suite.tasks[0].samples.map(\.path) == ["2.jpg", "3.jpg", "4.jpg", "6.jpg"])
    #expect(Set(suite.skipped.map(\.path)) == ["1.jpg", "5.jpg"])
    #expect(suite.skipped.allSatisfy { $0.reason == .duplicate })
    #expect(suite.skipped.contains { $0.path == "1.jpg" && $0.detail.contains("2.jpg") })
  }

  @Test func `refuses one content under two labels, or keeps the first`() throws {
    let folder = try TemporaryFolder(["t/a/1.jpg": "same", "t/b/1.jpg": "same", "t/b/2.jpg": "2"])
    expectError(.malformed, "two labels", "t/a/1.jpg (a)", "t/b/1.jpg (b)") { _ = try folder.load() }
    let suite = try folder.load("", TaskLoadingOptions(dropDuplicates: true))
    #expect(suite.tasks[0].samples.map(\.path) == ["t/a/1.jpg", "t/b/2.jpg"])
    #expect(suite.skipped.map(\.path) == ["t/b/1.jpg"])
  }

  @Test func `keeps equal contents within a class, and across tasks`() throws {
    let suite = try TemporaryFolder([
      "t/a/1.jpg": "x", "t/a/2.jpg": "x", "t/b/1.jpg": "y", "u/a/1.jpg": "y", "u/b/1.jpg": "x",
    ]).load()
    #expect(suite.tasks.map(\.samples.count) == [3, 2])
    #expect(suite.skipped.isEmpty)
  }

  @Test func `drops a repeated path from the test split`() throws {
    let folder = try TemporaryFolder([
      "1.jpg": "1", "2.jpg": "2", "t.csv": "path,label,split\n1.jpg,a,test\n./1.jpg,a,train\n2.jpg,b,train\n",
    ])
    expectError(.malformed, "1.jpg is listed twice", "lines 2 and 3") { _ = try folder.load("t.csv") }
    let suite = try folder.load("t.csv", TaskLoadingOptions(dropDuplicates: true))
    #expect(suite.tasks[0].samples.map(\.split) == [.train, .train])
    #expect(suite.skipped.map(\.reason) == [.duplicate])
  }

  @Test func `survives a round trip through JSON`() throws {
    let suite = try TemporaryFolder(smallTree).load()
    let data = try JSONDocument.data(suite, subject: "suite")
    #expect(try JSONDocument.decode(TaskSuite.self, from: data, subject: "suite") == suite)
  }
}
