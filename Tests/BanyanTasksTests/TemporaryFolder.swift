import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

/// A folder that goes with the value; files in it need not be pictures, since this room does not decode.
final class TemporaryFolder {
  let path: String

  /// Makes the folder with the given files; a file's content is its text.
  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.path + "/banyan-tasks-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try write(name, text) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    let url = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
  }

  /// Makes a link; `target` need not exist.
  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path + "/" + name)
  }

  func load(_ name: String = "", _ options: TaskLoadingOptions = TaskLoadingOptions()) throws -> TaskSuite {
    try TaskSuite.load(name.isEmpty ? path : path + "/" + name, options: options)
  }
}

/// Expects `body` to throw a `BanyanError` of `kind` whose text holds every one of `parts`.
func expectError(
  _ kind: BanyanError.Kind, _ parts: String..., at location: SourceLocation = #_sourceLocation, body: () throws -> Void
) {
  let error = #expect(throws: BanyanError.self, sourceLocation: location) { try body() }
  guard let error else { return }
  #expect(error.kind == kind, sourceLocation: location)
  for part in parts {
    #expect(error.description.contains(part), "\(part) is not in: \(error.description)", sourceLocation: location)
  }
}

/// Two tasks of two classes with two images each, every content its own.
let smallTree: [String: String] = Dictionary(
  uniqueKeysWithValues: ["photo", "sketch"].flatMap { task in
    ["hot_dog", "t-shirt"].flatMap { name in
      [1, 2].map { ("\(task)/\(name)/\($0).jpg", "\(task) \(name) \($0)") }
    }
  })
