import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

struct SeveralSourcesTests {
  private func two() throws -> TemporaryFolder {
    try TemporaryFolder([
      "old/photo/cat/1.jpg": "a", "old/photo/dog/1.jpg": "b", "old/ink/cat/1.jpg": "c", "old/ink/dog/1.jpg": "d",
      "new/ink/cat/1.jpg": "e", "new/ink/dog/1.jpg": "f", "new/chalk/cat/1.jpg": "g", "new/chalk/dog/1.jpg": "h",
      "new/tasks.json": #"{"tasks": {"chalk": {"title": "On slate", "classNames": {"dog": "hound"}}}}"#,
      "list.csv": "path,label,task\nold/photo/cat/1.jpg,cat,listed\nold/photo/dog/1.jpg,dog,listed\n",
    ])
  }

  @Test func `tasks of other sources stand behind those of the first, with paths of their own`() throws {
    let folder = try two()
    let suite = try folder.load(
      "old",
      TaskLoadingOptions(
        only: ["photo", "ink", "chalk", "listed"], also: ["\(folder.path)/new", "\(folder.path)/list.csv"]))
    #expect(suite.tasks.map(\.name) == ["ink", "photo", "chalk", "listed"])
    #expect(suite.tasks[2].title == "On slate" && suite.tasks[2].classNames == ["cat", "hound"])
    let samples = suite.tasks[2].samples
    #expect(samples.map { suite.url(of: $0).path } == ["cat", "dog"].map { "\(folder.path)/new/chalk/\($0)/1.jpg" })
    // Of two tasks of one name the first is meant.
    #expect(try suite.url(of: suite.task(named: "ink").samples[0]).path == "\(folder.path)/old/ink/cat/1.jpg")
    // What lies below the first root is relative to it, wherever it was named.
    #expect(suite.tasks[3].samples.map(\.path) == ["photo/cat/1.jpg", "photo/dog/1.jpg"])
  }

  @Test func `two tasks of one name are an error where it is not said which is meant`() throws {
    let folder = try two()
    let options = TaskLoadingOptions(also: ["\(folder.path)/new"])
    expectError(.malformed, "ink", "\(folder.path)/new") { _ = try folder.load("old", options) }
    expectError(.usage, "chakl", "chalk") {
      _ = try folder.load("old", TaskLoadingOptions(only: ["photo", "chakl"], also: ["\(folder.path)/new"]))
    }
    expectError(.missingInput, "nowhere") {
      _ = try folder.load("old", TaskLoadingOptions(also: ["\(folder.path)/nowhere"]))
    }
  }
}
