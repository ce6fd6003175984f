import BanyanFoundation
import BanyanWorlds
import Foundation
import Synchronization
import Testing

/// A world as files.
@Suite final class WorldFolderTests {
  private let room: URL
  private let out: URL
  private let world = World(.mixed, seed: 11)

  init() throws {
    room = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-world-\(UUID().uuidString)")
    out = room.appendingPathComponent("out")
    try FileManager.default.createDirectory(at: room, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: room) }

  /// The values as they are, without a format.
  private let raw = WorldFolder.Encoders(
    picture: { Data($1) }, mask: { Data($1) }, depth: { _, values in values.withUnsafeBytes { Data($0) } })

  /// Encoders that fail at the given picture.
  private func failing(at number: Int) -> WorldFolder.Encoders {
    let count = Counter()
    var encoders = raw
    encoders.picture = { _, pixels in
      if count.next() == number { throw BanyanError(.failed, at: "picture", "the disk is full") }
      return Data(pixels)
    }
    return encoders
  }

  private final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
      value.withLock {
        $0 += 1
        return $0
      }
    }
  }

  private func folder(_ pictures: Int = 2) throws -> WorldFolder {
    try WorldFolder(world, side: 32, picturesPerClass: pictures, validationShare: 0.5)
  }

  private func files(_ folder: URL) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
      let file = folder.appendingPathComponent(name)
      if (try? FileManager.default.contentsOfDirectory(atPath: file.path)) == nil {
        found[name] = try Data(contentsOf: file)
      }
    }
    return found
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func theFolderHoldsThePicturesAndWhatIsKnownOfThem() throws {
    let maps = room.appendingPathComponent("maps")
    let counted = Counter()
    try folder().write(to: out, maps: maps, encoders: raw) { _ in _ = counted.next() }
    let files = try files(out)
    let painter = WorldPainter(side: 32)
    var rows = ["path,caption,split,class,colour,size,position,style"]
    for task in world.tasks {
      for (label, object) in task.classes.enumerated() {
        for number in 0..<2 {
          let picture = world.picture(task: task, label: label, number: number, painter: painter)
          let path = "\(task.name)/\(object.rawValue)/000\(number + 1)"
          #expect(files[path + ".png"] == Data(picture.pixels), "\(path)")
          #expect(try Data(contentsOf: maps.appendingPathComponent(path + "-mask.png")) == Data(picture.mask))
          let depth = try Data(contentsOf: maps.appendingPathComponent(path + "-depth.png"))
          #expect(depth == picture.depth.withUnsafeBytes { Data($0) }, "\(path)")
          let colour = task.style.showsColour ? picture.colour.rawValue : ""
          rows.append(
            [
              path + ".png", picture.caption, number == 0 ? "train" : "validation", object.rawValue, colour,
              picture.size.rawValue, picture.position.rawValue, task.style.rawValue,
            ].joined(separator: ","))
        }
      }
    }
    #expect(files["captions.csv"].map { String(decoding: $0, as: UTF8.self) } == rows.joined(separator: "\n") + "\n")
    #expect(files.count == rows.count - 1 + 3 && files["tasks.json"] != nil)
    #expect(try folder().pictureCount == rows.count - 1 && counted.next() > 1)
    let tables = try JSONDecoder().decode(JSONValue.self, from: files["tasks.json"] ?? Data())
    #expect(tables[path: "tasks.night-grainy.title"]?.stringValue == "Night grainy")
    #expect(try names(room) == ["maps", "out"])
  }

  @Test func theSummaryDrawsTheWorldAgain() throws {
    let writer = try folder(1)
    #expect(try WorldSummary.read(folder: out) == nil)
    try writer.write(to: out, encoders: raw)
    let summary = try #require(try WorldSummary.read(folder: out))
    #expect(summary == writer.summary && summary.plantedTree == world.plantedTree && summary.tasks == world.tasks)
    let again = room.appendingPathComponent("again")
    try WorldFolder(
      World(summary.preset, seed: summary.seed), side: summary.size, picturesPerClass: summary.picturesPerClass,
      validationShare: 0.5
    ).write(to: again, encoders: raw)
    #expect(try files(again) == files(out))
    try Data("{}".utf8).write(to: out.appendingPathComponent("world.json"))
    #expect(throws: BanyanError.self) { try WorldSummary.read(folder: out) }
  }

  @Test func aLongerWorldBeginsWithTheShorter() throws {
    let longer = room.appendingPathComponent("longer")
    try folder(1).write(to: out, encoders: raw)
    try folder(3).write(to: longer, encoders: raw)
    let (short, long) = try (files(out), files(longer))
    let pictures = short.filter { $0.key.hasSuffix(".png") }
    #expect(pictures.count == long.filter { $0.key.hasSuffix("0001.png") }.count)
    for (name, bytes) in pictures { #expect(long[name] == bytes, "\(name)") }
    #expect(long["pixel/mug/0001.png"] != long["pixel/mug/0002.png"])
  }

  @Test func whatIsNoWorldIsNeverTouched() throws {
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
    let file = out.appendingPathComponent("thesis.txt")
    try Data("years".utf8).write(to: file)
    for replacing in [false, true] {
      let error = #expect(throws: BanyanError.self) {
        try folder(1).write(to: out, replacing: replacing, encoders: raw)
      }
      #expect(error?.kind == .usage)
      // A file in the place of a folder.
      #expect(throws: BanyanError.self) { try folder(1).write(to: file, replacing: replacing, encoders: raw) }
    }
    #expect(try files(out) == ["thesis.txt": Data("years".utf8)] && names(room) == ["out"])
  }

  @Test func mapsMustLieBesideThePictures() throws {
    for inner in ["out", "out/maps", "out/../out/maps", "."] {
      let maps = URL(fileURLWithPath: room.path + "/" + inner)
      let error = #expect(throws: BanyanError.self) { try folder(1).write(to: out, maps: maps, encoders: raw) }
      #expect(error?.kind == .usage, "\(inner)")
    }
    #expect(try names(room) == [])
  }

  @Test func aFailureLeavesWhatWasThere() throws {
    let maps = room.appendingPathComponent("maps")
    #expect(throws: BanyanError.self) { try folder().write(to: out, maps: maps, encoders: failing(at: 50)) }
    #expect(try names(room) == [])
    try folder(1).write(to: out, maps: maps, encoders: raw)
    let before = try files(out)
    #expect(throws: BanyanError.self) { try folder(1).write(to: out, encoders: raw) }
    #expect(throws: BanyanError.self) {
      try folder().write(to: out, maps: maps, replacing: true, encoders: failing(at: 50))
    }
    #expect(try files(out) == before && names(room) == ["maps", "out"])
    try folder().write(to: out, maps: maps, replacing: true, encoders: raw)
    #expect(try files(out).count > before.count && names(room) == ["maps", "out"])
  }

  @Test func sizesOutOfRangeAreRefused() {
    #expect(throws: BanyanError.self) { try WorldFolder(world, side: 16) }
    #expect(throws: BanyanError.self) { try WorldFolder(world, picturesPerClass: 0) }
    #expect(throws: BanyanError.self) { try WorldFolder(world, validationShare: .nan) }
  }
}
