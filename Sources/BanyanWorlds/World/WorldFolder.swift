import BanyanFoundation
import Dispatch
public import Foundation
import Synchronization

/// A world written as files that every other command reads.
///
///     DIR/<task>/<class>/0001.png   pictures, laid out as tasks
///     DIR/tasks.json                titles and templates of every task
///     DIR/captions.csv              path, caption, split, and what is known: class, colour, size, position, style
///     DIR/world.json                seed, tasks, families and the planted tree
///
/// The folder appears whole or not at all. Pictures are encoded by the caller's encoder, since this room draws and
/// knows no file format.
public struct WorldFolder: Sendable {
  /// How pixels become files.
  public struct Encoders: Sendable {
    /// A colour picture: side, red, green and blue row by row.
    public var picture: @Sendable (_ side: Int, _ pixels: [UInt8]) throws -> Data
    /// A grey picture of 8 bits.
    public var mask: @Sendable (_ side: Int, _ values: [UInt8]) throws -> Data
    /// A grey picture of 16 bits.
    public var depth: @Sendable (_ side: Int, _ values: [UInt16]) throws -> Data

    /// Three encoders of one format.
    public init(
      picture: @escaping @Sendable (Int, [UInt8]) throws -> Data,
      mask: @escaping @Sendable (Int, [UInt8]) throws -> Data,
      depth: @escaping @Sendable (Int, [UInt16]) throws -> Data
    ) {
      self.picture = picture
      self.mask = mask
      self.depth = depth
    }
  }

  /// What is drawn.
  public var world: World
  /// Columns and rows of a picture.
  public var side: Int
  /// Pictures of every class of every task.
  public var picturesPerClass: Int
  /// The share of pictures, the last ones of every class, that `captions.csv` calls validation.
  public var validationShare: Double

  /// Describes a folder of `world`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where a size is out of its range.
  public init(_ world: World, side: Int = 64, picturesPerClass: Int = 30, validationShare: Double = 0.05) throws {
    guard (32...1024).contains(side) else {
      throw BanyanError(.usage, at: "--size \(side)", "expected 32 to 1024 pixels")
    }
    guard (1...100_000).contains(picturesPerClass) else {
      throw BanyanError(.usage, at: "--pictures \(picturesPerClass)", "expected 1 to 100000 pictures per class")
    }
    guard (0...0.9).contains(validationShare) else {
      throw BanyanError(.usage, at: "validation share \(validationShare)", "expected 0 to 0.9")
    }
    self.world = world
    self.side = side
    self.picturesPerClass = picturesPerClass
    self.validationShare = validationShare
  }

  /// How many pictures there will be.
  public var pictureCount: Int { world.tasks.map { $0.classes.count * picturesPerClass }.reduce(0, +) }

  /// Draws and writes everything.
  ///
  /// - Parameters:
  ///   - folder: Where it goes; must be absent or empty unless `replacing`.
  ///   - maps: A second folder for `<task>/<class>/0001-mask.png` and `0001-depth.png`; `nil` for none.
  ///   - replacing: Whether a world that lies there already is replaced.
  ///   - encoders: What turns pixels into files; called from several threads.
  ///   - progress: Called with the number of pictures done so far, from several threads.
  /// - Throws: A `BanyanError` of kind `usage` where a folder holds something else, is a file or lies in the other, of
  ///   kind `failed` where a file cannot be written, or what an encoder throws.
  public func write(
    to folder: URL, maps: URL? = nil, replacing: Bool = false, encoders: Encoders,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    let folder = folder.standardizedFileURL
    guard let maps = maps?.standardizedFileURL else {
      return try replaceFolder(folder, allowed: replacing) { try fill($0, maps: nil, encoders, progress) }
    }
    // Either would be thrown away when the other is put in its place.
    let (own, other) = (folder.pathComponents, maps.pathComponents)
    guard !own.starts(with: other), !other.starts(with: own) else {
      throw BanyanError(
        .usage, at: maps.path, "the folder of maps and that of pictures, \(folder.path), lie in each other",
        remedy: "Name a folder of maps beside it.")
    }
    try replaceFolder(folder, allowed: replacing) { aside in
      try replaceFolder(maps, allowed: replacing) { try fill(aside, maps: $0, encoders, progress) }
    }
  }

  private struct Job {
    var task: WorldTask
    var label: Int
    var numbers: Range<Int>
    var folder: String
  }

  private func fill(
    _ folder: URL, maps: URL?, _ encoders: Encoders, _ progress: @escaping @Sendable (Int) -> Void
  ) throws {
    var jobs: [Job] = []
    for task in world.tasks {
      for (label, object) in task.classes.enumerated() {
        let path = "\(task.name)/\(object.rawValue)"
        for root in [folder] + (maps.map { [$0] } ?? []) {
          try AtomicFile.createFolder(root.appendingPathComponent(path))
        }
        for first in stride(from: 0, to: picturesPerClass, by: 64) {
          jobs.append(
            Job(task: task, label: label, numbers: first..<min(first + 64, picturesPerClass), folder: path))
        }
      }
    }
    let rows = Mutex([[String]](repeating: [], count: jobs.count))
    let done = Atomic<Int>(0)
    let failure = Mutex<(any Error)?>(nil)
    let all = jobs
    DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
      guard failure.withLock({ $0 == nil }) else { return }
      do {
        let lines = try perform(all[index], folder: folder, maps: maps, encoders)
        rows.withLock { $0[index] = lines }
        progress(done.add(lines.count, ordering: .relaxed).newValue)
      } catch {
        failure.withLock { $0 = $0 ?? error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    let table = ["path,caption,split,class,colour,size,position,style"] + rows.withLock { $0.flatMap { $0 } }
    try AtomicFile.write(
      Data((table.joined(separator: "\n") + "\n").utf8), to: folder.appendingPathComponent("captions.csv"))
    try JSONDocument.write(descriptions, to: folder.appendingPathComponent("tasks.json"))
    try JSONDocument.write(summary, to: folder.appendingPathComponent(Self.summaryName))
  }

  /// Writes a run of pictures and gives their lines of the table.
  private func perform(_ job: Job, folder: URL, maps: URL?, _ encoders: Encoders) throws -> [String] {
    let painter = WorldPainter(side: side)
    let heldOut = Int((Double(picturesPerClass) * validationShare).rounded())
    return try job.numbers.map { number in
      let picture = world.picture(task: job.task, label: job.label, number: number, painter: painter)
      let name = String(repeating: "0", count: max(0, 4 - String(number + 1).count)) + String(number + 1)
      let path = "\(job.folder)/\(name)"
      // Not flushed: the folder is put in its place when all is there, and can be drawn again.
      try AtomicFile.write(
        encoders.picture(side, picture.pixels), to: folder.appendingPathComponent("\(path).png"), flushing: false)
      if let maps {
        try AtomicFile.write(
          encoders.mask(side, picture.mask), to: maps.appendingPathComponent("\(path)-mask.png"), flushing: false)
        try AtomicFile.write(
          encoders.depth(side, picture.depth), to: maps.appendingPathComponent("\(path)-depth.png"), flushing: false)
      }
      let split = number >= picturesPerClass - heldOut ? "validation" : "train"
      let known = [
        picture.object.rawValue, job.task.style.showsColour ? picture.colour.rawValue : "", picture.size.rawValue,
        picture.position.rawValue, picture.style.rawValue,
      ]
      return ([path + ".png", picture.caption, split] + known).joined(separator: ",")
    }
  }

  /// Runs `body` on a folder beside `folder` and puts it in the place of an older world, never of something else.
  private func replaceFolder(_ folder: URL, allowed: Bool, _ body: (URL) throws -> Void) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard !files.fileExists(atPath: folder.path, isDirectory: &isFolder) || isFolder.boolValue else {
      throw BanyanError(.usage, at: folder.path, "expected a folder, found a file", remedy: "Name another folder.")
    }
    let old = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
    guard allowed || old.isEmpty else {
      throw BanyanError(
        .usage, at: folder.path, "the folder is not empty", remedy: "Name another, or replace it with --overwrite.")
    }
    // Only what a world wrote is ever removed.
    guard old.isEmpty || old.contains(Self.summaryName) || old.contains(Self.mapsMark) else {
      throw BanyanError(
        .usage, at: folder.path, "the folder holds something else than a world", remedy: "Name another folder.")
    }
    try AtomicFolder.write(folder) { aside in
      try body(aside)
      if !files.fileExists(atPath: aside.appendingPathComponent(Self.summaryName).path) {
        try JSONDocument.write(summary, to: aside.appendingPathComponent(Self.mapsMark))
      }
    }
  }
}
