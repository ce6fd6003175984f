import Foundation

/// Files in memory for readers that take a path.
enum Scratch {
  /// A folder of this process.
  static let folder: URL = {
    let shared = URL(fileURLWithPath: "/dev/shm")
    let root = FileManager.default.isWritableFile(atPath: shared.path) ? shared : FileManager.default.temporaryDirectory
    let folder = root.appending(path: "banyan-fuzz-\(ProcessInfo.processInfo.processIdentifier)")
    atexit { try? FileManager.default.removeItem(at: Scratch.folder) }
    return folder
  }()

  static func write(_ data: Data, to url: URL) throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  /// Calls `body` with a file of this name that holds `data`, and removes it.
  static func file<Result>(_ name: String, _ data: Data, _ body: (URL) throws -> Result) throws -> Result {
    let url = folder.appending(path: name)
    try write(data, to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url)
  }
}
