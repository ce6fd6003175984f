import BanyanFoundation
import BanyanReports
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where the files of one run lie.
///
///     experiment.json        what was asked for: the differences from the defaults
///     record.json            what came out; there when the run is finished
///     seed-<s>/prompts.safetensors, prompts.json, classifiers.safetensors, result.json
///     graft.json             where `banyan graft` put new tasks
///     landscapes/…, maps/…, words/…    what the commands of these names have made
///     seed-<s>/state.safetensors, start.safetensors, affinity.json    while the seed is in work
public struct RunFolder: Sendable {
  /// The folder itself.
  public let url: URL

  /// A folder, whether there or not.
  public init(_ url: URL) { self.url = url }

  /// What was asked for.
  public var experiment: URL { url.appendingPathComponent("experiment.json") }
  /// What came out.
  public var record: URL { url.appendingPathComponent(RunRecord.fileName) }

  /// The folder of landscapes.
  public var landscapes: URL { url.appendingPathComponent(LandscapeRecord.folderName) }

  /// The folder of a seed.
  public func seed(_ seed: UInt64) -> URL { url.appendingPathComponent("seed-\(seed)") }
  /// The learned parameters of a seed.
  public func prompts(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("prompts.safetensors") }
  /// What the learned parameters belong to.
  public func manifest(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("prompts.json") }
  /// The frozen classifiers of a seed.
  public func classifiers(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("classifiers.safetensors") }
  /// Where new tasks were put by a graft.
  var decisions: URL { url.appendingPathComponent(GraftDecision.fileName) }
  func result(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("result.json") }
  func state(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("state.safetensors") }
  func start(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("start.safetensors") }
  func affinity(_ seed: UInt64) -> URL { self.seed(seed).appendingPathComponent("affinity.json") }

  /// What to do with a folder that holds a run already.
  public enum Existing: String, Sendable, CaseIterable {
    /// Refuse.
    case refuse
    /// Go on where it stopped.
    case resume
    /// Remove it and start over.
    case overwrite
  }

  /// Whether a run was begun here.
  public var holdsRun: Bool { FileManager.default.fileExists(atPath: experiment.path) }
  /// Whether what was begun here was a graft and not a training.
  var holdsGraft: Bool { FileManager.default.fileExists(atPath: decisions.path) }
  /// Whether any seed was begun here.
  var holdsSeeds: Bool {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).contains { $0.hasPrefix("seed-") }
  }

  /// Whether both are one folder, by whatever name and through whatever links.
  func isSamePlace(as other: RunFolder) -> Bool { Self.place(url) == Self.place(other.url) }

  private static func place(_ url: URL) -> String {
    guard let found = realpath(url.path, nil) else { return url.standardizedFileURL.path }
    defer { free(found) }
    return String(cString: found)
  }

  /// Whether a process is at work here: it holds the folder's lock.
  public var isInUse: Bool {
    let descriptor = Self.opened(url.appendingPathComponent(".lock").path)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
    flock(descriptor, LOCK_UN)
    return false
  }

  private static func opened(_ path: String) -> Int32 {
    #if canImport(Glibc)
      Glibc.open(path, O_RDONLY | O_CLOEXEC)
    #else
      Darwin.open(path, O_RDONLY | O_CLOEXEC)
    #endif
  }

  /// Whether a run was finished here.
  public var holdsRecord: Bool { FileManager.default.fileExists(atPath: record.path) }

  /// Makes the folder ready and keeps other processes out of it until the result is released.
  ///
  /// - Throws: A `BanyanError` of kind `failed` where the folder holds another run or is in use.
  func open(_ existing: Existing) throws -> RunLock {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue {
      throw BanyanError(
        .failed, at: "--output \(url.path)", "expected a folder, found a file", remedy: "Choose another place.")
    }
    try check(existing)
    try AtomicFile.createFolder(url)
    let lock = try RunLock(url.appendingPathComponent(".lock"))
    // Another process may have begun and ended between the two.
    try check(existing)
    return lock
  }

  /// Throws where what the folder holds is not to be touched.
  private func check(_ existing: Existing) throws {
    let others = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [])
      .filter { !$0.hasPrefix(".") }
    if existing == .refuse && holdsRun {
      throw BanyanError(
        .failed, at: "--output \(url.path)", "the folder holds a \(holdsRecord ? "finished" : "stopped") run",
        remedy: holdsRecord
          ? "Choose another folder, or replace the run with --overwrite."
          : "Go on with --resume, start over with --overwrite, or choose another folder.")
    }
    if !holdsRun, !others.isEmpty {
      throw BanyanError(
        .failed, at: "--output \(url.path)", "the folder is not empty and holds no run of banyan",
        remedy: "Choose an empty or a new folder.")
    }
  }

  /// What the run was asked for, with all defaults.
  func settings() throws -> JSONValue {
    do {
      return try Experiment(JSONDocument.read(from: experiment), subject: experiment.path).resolved()
    } catch let error as BanyanError where !error.subject.contains(experiment.path) {
      throw BanyanError(error.kind, at: "\(experiment.path): \(error.subject)", error.message, remedy: error.remedy)
    }
  }

  /// Removes what a run writes, and nothing else; the record first, so that no half of a run looks like a whole one.
  func removeRun() throws {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    let drawn = [
      LandscapeRecord.folderName, MapRecord.folderName, WordsRecord.folderName, LiveStatus.fileName,
      GraftDecision.fileName,
    ]
    let own = names.filter { $0.hasPrefix("seed-") || $0 == experiment.lastPathComponent || drawn.contains($0) }
    // What says that a run was begun goes last, so that a folder which is half emptied can be emptied again.
    let last = own.filter { $0 == experiment.lastPathComponent }
    for name in names.filter({ $0 == RunRecord.fileName }) + own.filter({ !last.contains($0) }) + last {
      do {
        try FileManager.default.removeItem(at: url.appendingPathComponent(name))
      } catch {
        throw BanyanError(
          .failed, at: url.appendingPathComponent(name).path, "the earlier run cannot be removed",
          remedy: "Choose another folder.")
      }
    }
  }

  /// Removes what a finished seed needed only while it was in work.
  func removeWork(of seed: UInt64) {
    for leftover in [state(seed), start(seed), affinity(seed)] { try? FileManager.default.removeItem(at: leftover) }
  }

  /// Removes files that a killed process was writing.
  func removePartialFiles(_ seeds: [UInt64]) {
    for place in [url] + seeds.map(seed) {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      where name.hasPrefix(".") && name.hasSuffix(".partial") {
        try? FileManager.default.removeItem(at: place.appendingPathComponent(name))
      }
    }
  }
}

/// A folder kept for one process; released with the value, and by the system where the process dies.
final class RunLock {
  private let descriptor: Int32
  private let url: URL

  /// Locks the file at `url`, and makes it where it is not there.
  init(_ url: URL) throws {
    // Who watches a run looks at the lock for a moment.
    for attempt in 0..<10 {
      if attempt > 0 { usleep(20_000) }
      // Who gave up took the folder away with its lock.
      try AtomicFile.createFolder(url.deletingLastPathComponent())
      let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        let reason = String(cString: strerror(errno))
        throw BanyanError(
          .failed, at: url.deletingLastPathComponent().path, "cannot be written: \(reason)",
          remedy: "Choose a folder that may be written to.")
      }
      // Who had it may have removed it since it was opened; others would then lock another file.
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, AtomicFolder.isSame(descriptor, url.path) {
        self.descriptor = descriptor
        self.url = url
        return
      }
      close(descriptor)
    }
    throw BanyanError(
      .failed, at: "--output \(url.deletingLastPathComponent().path)", "another process is using the folder",
      remedy: "Wait for it to end, or choose another folder.")
  }

  /// Removes the lock, and its folder where nothing else is in it.
  func discard() {
    unlink(url.path)
    rmdir(url.deletingLastPathComponent().path)
  }

  deinit { close(descriptor) }
}
