import BanyanFoundation
import Foundation
import Testing

@Suite struct AtomicFileTests {
  func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  func failure(_ body: () throws -> Void) -> BanyanError? {
    do {
      try body()
      return nil
    } catch {
      return error as? BanyanError
    }
  }

  @Test func `Bytes come back, folders are made and nothing is left beside`() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("a/b/c.bin")
      for size in [0, 1, 5_000_000] {
        let data = Data(repeating: UInt8(size % 251), count: size)
        try AtomicFile.write(data, to: file)
        #expect(try AtomicFile.read(file) == data)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a/b") == ["c.bin"])
    }
  }

  @Test func `A target that cannot be replaced keeps its contents and leaves nothing beside`() throws {
    try withFolder { folder in
      let target = folder.appendingPathComponent("target")
      try AtomicFile.write(Data("inside".utf8), to: target.appendingPathComponent("file"))
      let error = failure { try AtomicFile.write(Data("x".utf8), to: target) }
      #expect(error?.kind == .failed && error?.subject == target.path)
      #expect(error?.message.contains("cannot be put in its place") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["target"])
      #expect(try AtomicFile.read(target.appendingPathComponent("file")) == Data("inside".utf8))
    }
  }

  @Test func `A path below a regular file is refused with a remedy`() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("file")
      try AtomicFile.write(Data("x".utf8), to: file)
      let error = failure { try AtomicFile.write(Data(), to: file.appendingPathComponent("below/deeper")) }
      #expect(error?.kind == .failed && error?.message == "the folder cannot be made")
      #expect(error?.remedy.isEmpty == false)
      #expect(try AtomicFile.read(file) == Data("x".utf8))
    }
  }

  @Test func `A folder that takes no new files is an error that says why`() throws {
    #if os(Linux)
      // The kernel's own folders refuse new files, to the superuser as well.
      let error = failure { try AtomicFile.write(Data("x".utf8), to: URL(fileURLWithPath: "/proc/self/banyan")) }
      #expect(error?.kind == .failed && error?.subject == "/proc/self/banyan")
      #expect(error?.message.contains("cannot be created: ") == true)
    #endif
  }

  @Test func `Absent files and folders are said to be so`() throws {
    try withFolder { folder in
      let absent = failure { _ = try AtomicFile.read(folder.appendingPathComponent("none")) }
      #expect(absent?.kind == .missingInput && absent?.message == "no such file")
      #expect(failure { _ = try AtomicFile.read(folder) }?.message == "expected a file, found a folder")
    }
  }
}
