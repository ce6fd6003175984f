public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that appear whole or not at all.
///
/// A file is written beside its place, flushed to the disk and then renamed, so that a reader, or a machine that loses
/// power, finds the old bytes or the new ones and never a part.
public enum AtomicFile {
  /// Writes `data` to `url`, whole or not at all, and makes the folders on the way.
  ///
  /// - Parameters:
  ///   - data: The file's whole contents.
  ///   - url: Where the file goes; what is there is replaced.
  ///   - flushing: Whether to wait for the disk; entries that can be made anew need not.
  /// - Throws: A ``BanyanError`` of kind `failed` that says why (no space left, no permission).
  public static func write(_ data: Data, to url: URL, flushing: Bool = true) throws {
    try createFolder(url.deletingLastPathComponent())
    let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let aside = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(suffix).partial")
    let descriptor = open(aside.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(url, "cannot be created") }
    do {
      try data.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
          let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
          if count < 0 && errno == EINTR { continue }
          guard count > 0 else { throw failure(url, "cannot be written") }
          written += count
        }
      }
      guard !flushing || fsync(descriptor) == 0 else { throw failure(url, "cannot be flushed to the disk") }
    } catch {
      close(descriptor)
      unlink(aside.path)
      throw error
    }
    close(descriptor)
    guard rename(aside.path, url.path) == 0 else {
      let error = failure(url, "cannot be put in its place")
      unlink(aside.path)
      throw error
    }
  }

  /// Reads the file at `url`; memory-mapped where the system allows.
  ///
  /// - Throws: A ``BanyanError`` of kind `missingInput` where it is absent, a folder, or not readable.
  public static func read(_ url: URL) throws -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw BanyanError(.missingInput, at: url.path, "no such file")
    }
    guard !isFolder.boolValue else { throw BanyanError(.missingInput, at: url.path, "expected a file, found a folder") }
    do {
      return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      throw BanyanError(.missingInput, at: url.path, "cannot be read", remedy: "Check the file's permissions.")
    }
  }

  /// Makes the folder at `url` and those above it.
  public static func createFolder(_ url: URL) throws {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw BanyanError(
        .failed, at: url.path, "the folder cannot be made",
        remedy: "Check that its parent exists, is a folder and may be written to.")
    }
  }

  private static func failure(_ url: URL, _ what: String) -> BanyanError {
    let code = errno
    let remedy: String
    switch code {
    case ENOSPC, EDQUOT: remedy = "Free some space and run it again; training and pre-training go on with --resume."
    case EACCES, EPERM, EROFS: remedy = "Choose a folder that may be written to."
    default: remedy = ""
    }
    return BanyanError(.failed, at: url.path, "\(what): \(String(cString: strerror(code)))", remedy: remedy)
  }
}
