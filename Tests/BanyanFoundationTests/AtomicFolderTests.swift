import BanyanFoundation
import Foundation
import Testing

/// Folders that appear whole or not at all.
@Suite struct AtomicFolderTests {
  private let root: URL

  init() throws {
    root = FileManager.default.temporaryDirectory.appending(path: "banyan-folders-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
  }

  private func names(_ folder: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  private func file(_ folder: URL, _ name: String, _ text: String) throws {
    try AtomicFile.write(Data(text.utf8), to: folder.appending(path: name))
  }

  @Test func theNewFolderTakesThePlaceOfTheOldAsAWhole() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    let target = root.appending(path: "a/b")
    try AtomicFolder.write(target) { try file($0, "one", "1") }
    try AtomicFolder.write(target) { aside in
      // The old one is there as long as the new one is not whole.
      #expect(names(target) == ["one"] && names(aside).isEmpty)
      try file(aside, "two", "2")
    }
    #expect(names(target) == ["two"] && names(root.appending(path: "a")) == ["b"])
  }

  @Test func whatFailsLeavesTheOldOne() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    let target = root.appending(path: "a")
    try AtomicFolder.write(target) { try file($0, "one", "1") }
    #expect(throws: BanyanError.self) {
      try AtomicFolder.write(target) { aside in
        try file(aside, "two", "2")
        throw BanyanError(.failed, at: "two", "no more")
      }
    }
    #expect(names(target) == ["one"] && names(root) == ["a"])
  }

  @Test func whatAKilledProcessLeftIsNotTakenOver() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try file(root.appending(path: ".a.partial"), "rest", "?")
    try file(root.appending(path: ".a.replaced"), "older", "?")
    try AtomicFolder.write(root.appending(path: "a")) { try file($0, "one", "1") }
    #expect(names(root.appending(path: "a")) == ["one"] && names(root) == ["a"])
  }

  @Test func twoDoNotFillOneFolder() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    let target = root.appending(path: "a")
    try AtomicFolder.write(target) { aside in
      try file(aside, "one", "1")
      let error = #expect(throws: BanyanError.self) { try AtomicFolder.write(target) { try file($0, "two", "2") } }
      #expect(error?.message.contains("another process") == true)
    }
    #expect(names(target) == ["one"])
  }
}
