import Foundation

/// Paths as a source writes them, brought to one form: relative to a folder where they lie below it.
struct SourcePath {
  /// The folder's absolute path, without a slash at its end (the root of the file system is `/`).
  let folder: String
  private let prefix: String

  init(folder: String) {
    let path = URL(fileURLWithPath: folder, isDirectory: true).standardizedFileURL.path
    self.folder = path
    prefix = path.hasSuffix("/") ? path : path + "/"
  }

  /// The place of a path that is relative to the folder or absolute.
  func url(_ path: String) -> URL {
    URL(fileURLWithPath: absolute(path), isDirectory: false)
  }

  /// The absolute form of a path that is relative to the folder or absolute.
  func absolute(_ path: String) -> String {
    path.utf8.first == UInt8(ascii: "/") ? path : prefix + path
  }

  /// `path` relative to the folder where it lies below it, absolute otherwise; dots and double slashes are resolved in
  /// the text alone, so that links stay what they are.
  func normal(_ path: String) -> String {
    let isAbsolute = path.utf8.first == UInt8(ascii: "/")
    if !isAbsolute && !SourcePath.needsWork(path) { return path }
    var parts: [Substring] = []
    for part in absolute(path).split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    let whole = "/" + parts.joined(separator: "/")
    return whole.hasPrefix(prefix) ? String(whole.dropFirst(prefix.count)) : whole
  }

  /// Whether a relative path has an empty, `.` or `..` component.
  private static func needsWork(_ path: String) -> Bool {
    var start = true
    var previous: UInt8 = 0
    for byte in path.utf8 {
      if (start && byte == UInt8(ascii: ".")) || (byte == UInt8(ascii: "/") && previous == byte) { return true }
      start = byte == UInt8(ascii: "/")
      previous = byte
    }
    return false
  }
}
