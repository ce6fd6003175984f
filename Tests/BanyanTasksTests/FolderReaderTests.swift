import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

struct FolderReaderTests {
  @Test func `reads tasks, classes and images in the order of their names`() throws {
    let folder = try TemporaryFolder(smallTree)
    let suite = try folder.load()
    #expect(suite.tasks.map(\.name) == ["photo", "sketch"])
    #expect(suite.tasks[0].classNames == ["hot dog", "t shirt"])
    #expect(
      suite.tasks[0].samples.map(\.path) == [
        "photo/hot_dog/1.jpg", "photo/hot_dog/2.jpg", "photo/t-shirt/1.jpg", "photo/t-shirt/2.jpg",
      ])
    #expect(suite.tasks[0].samples.map(\.label) == [0, 0, 1, 1])
    #expect(suite.tasks[0].samples.allSatisfy { $0.split == nil })
    #expect(!suite.tasks[0].hasGivenSplits)
    #expect(suite.tasks[0].classCounts == [2, 2])
    #expect(suite.skipped.isEmpty)
    #expect(try folder.load() == suite)
  }

  @Test func `hashes the content of each file`() throws {
    let suite = try TemporaryFolder(["a/x/1.jpg": "abc", "a/y/1.jpg": ""]).load()
    #expect(
      suite.tasks[0].samples.map(\.sha256) == [
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      ])
  }

  @Test func `reads class folders directly below the root as one task named after it`() throws {
    let folder = try TemporaryFolder(["pets/cat/1.JPG": "1", "pets/dog/2.WebP": "2", "pets/dog/3.jpeg": "3"])
    let suite = try folder.load("pets")
    #expect(suite.tasks.map(\.name) == ["pets"])
    #expect(suite.tasks[0].samples.map(\.path) == ["cat/1.JPG", "dog/2.WebP", "dog/3.jpeg"])
    #expect(suite.url(of: suite.tasks[0].samples[0]).path == folder.path + "/pets/cat/1.JPG")
    #expect(try folder.load("pets/").tasks == suite.tasks)
  }

  @Test func `ignores hidden files and other files, and lists pictures it cannot use`() throws {
    let folder = try TemporaryFolder(smallTree)
    try folder.write(".DS_Store", "x")
    try folder.write(".cache/a/1.jpg", "x")
    try folder.write("photo/hot_dog/.hidden.jpg", "x")
    try folder.write("photo/hot_dog/notes.txt", "x")
    try folder.write("photo/hot_dog/old.gif", "x")
    try folder.write("photo/preview.png", "x")
    try folder.write("cover.png", "x")
    try folder.write("README.md", "x")
    let suite = try folder.load()
    #expect(suite.tasks.map(\.samples.count) == [4, 4])
    #expect(suite.skipped.map(\.path) == ["cover.png", "photo/preview.png", "photo/hot_dog/old.gif"])
    #expect(suite.skipped.map(\.reason) == [.outsideClassFolders, .outsideClassFolders, .unsupportedFormat])
  }

  @Test(.timeLimit(.minutes(1))) func `does not hang on links that go round`() throws {
    let folder = try TemporaryFolder(smallTree)
    try folder.link("photo/loop", to: folder.path)
    expectError(.missingInput, "photo/loop", "holds no image") { _ = try folder.load() }
    try folder.remove("photo/loop")
    try folder.link("self", to: "self")
    #expect(try folder.load().tasks.count == 2)
  }

  @Test func `follows a link to a class folder`() throws {
    let folder = try TemporaryFolder(["elsewhere/1.jpg": "1", "set/a/x/1.jpg": "2"])
    try folder.link("set/a/y", to: folder.path + "/elsewhere")
    #expect(try folder.load("set").tasks[0].samples.map(\.path) == ["a/x/1.jpg", "a/y/1.jpg"])
  }

  @Test func `names an empty class folder`() throws {
    let folder = try TemporaryFolder(smallTree)
    try folder.makeFolder("sketch/cat")
    expectError(.missingInput, "sketch/cat", "holds no image", "Add images") { _ = try folder.load() }
    #expect(try folder.load("", TaskLoadingOptions(only: ["photo"])).tasks.map(\.name) == ["photo"])
  }

  @Test func `names a task folder without class folders`() throws {
    let folder = try TemporaryFolder(smallTree)
    try folder.write("docs/readme.md", "x")
    expectError(.missingInput, "/docs", "a folder for each class") { _ = try folder.load() }
  }

  @Test func `refuses a mixture of both folder layouts`() throws {
    let folder = try TemporaryFolder(smallTree)
    try folder.write("cats/1.jpg", "x")
    expectError(.malformed, "cats holds images", "photo holds folders") { _ = try folder.load() }
  }

  @Test func `refuses split folders that would be taken for tasks`() throws {
    let folder = try TemporaryFolder([
      "train/a/1.jpg": "1", "train/b/1.jpg": "2", "val/a/1.jpg": "3", "val/b/1.jpg": "4",
    ])
    expectError(.malformed, "found splits: train, val", "CSV") { _ = try folder.load() }
  }

  @Test func `refuses an image root, which folders have no use for`() throws {
    let folder = try TemporaryFolder(smallTree)
    expectError(.usage, "image root") { _ = try folder.load("", TaskLoadingOptions(imageRoot: folder.path)) }
  }
}
