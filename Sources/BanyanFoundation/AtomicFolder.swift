public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Folders that appear whole or not at all.
///
/// Unlike an ``AtomicFile`` a folder cannot take the place of another in one step: a machine that dies between the two steps
/// leaves the old one beside its place, as `.NAME.replaced`, from where the next call brings it back.
public enum AtomicFolder {
  /// Runs `body` on an empty folder beside `url`, and puts that in the place of what is there once it has ended well.
  ///
  /// - Parameters:
  ///   - url: Where the folder goes; whether what is there may be replaced is the caller's to know.
  ///   - body: Fills the folder that it is given.
  /// - Throws: A ``BanyanError`` of kind `failed` where another process is writing the same folder, or where it cannot be put
  ///   in its place; or what `body` throws. What was there is then still there.
  public static func write(_ url: URL, _ body: (URL) throws -> Void) throws {
    let url = url.standardizedFileURL
    let files = FileManager.default
    func beside(_ word: String) -> URL {
      url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).\(word)")
    }
    let (aside, replaced) = (beside("partial"), beside("replaced"))
    let lock = try locked(aside, for: url)
    defer { close(lock) }
    // A machine died between the two steps.
    if !files.fileExists(atPath: url.path) { try? files.moveItem(at: replaced, to: url) }
    do {
      // What a killed process left.
      for name in try files.contentsOfDirectory(atPath: aside.path) {
        try files.removeItem(at: aside.appending(path: name))
      }
      try body(aside)
      if files.fileExists(atPath: url.path) {
        try? files.removeItem(at: replaced)
        try files.moveItem(at: url, to: replaced)
      }
      do {
        try files.moveItem(at: aside, to: url)
      } catch {
        try? files.moveItem(at: replaced, to: url)
        throw error
      }
      try? files.removeItem(at: replaced)
    } catch {
      try? files.removeItem(at: aside)
      if error is BanyanError { throw error }
      throw BanyanError(
        .failed, at: url.path, "cannot be written: \(error.localizedDescription)",
        remedy: "Check the free space and that the folder may be written to.")
    }
  }

  /// Makes the folder and keeps other processes out of it as long as the descriptor is open.
  private static func locked(_ folder: URL, for url: URL) throws -> Int32 {
    while true {
      try AtomicFile.createFolder(folder)
      let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else {
        let reason = String(cString: strerror(errno))
        throw BanyanError(.failed, at: folder.path, "cannot be opened: \(reason)")
      }
      // Some file systems of a network lock no folders; there two processes are the user's to keep apart.
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
        close(descriptor)
        throw BanyanError(
          .failed, at: url.path, "another process is writing this folder",
          remedy: "Wait for it to end, or choose another folder.")
      }
      // Another may have put it in its place, or removed it, between the two calls.
      if isSame(descriptor, folder.path) { return descriptor }
      close(descriptor)
    }
  }

  /// Whether what is open is what lies at the path now.
  package static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var (own, there) = (stat(), stat())
    guard fstat(descriptor, &own) == 0, lstat(path, &there) == 0 else { return false }
    return own.st_dev == there.st_dev && own.st_ino == there.st_ino
  }
}
