import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct LiveTests {
  private func folder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "banyan-live-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  /// The records of an event file: lengths and check sums must be right.
  private func records(_ data: Data) throws -> [Data] {
    var rest = data
    var found: [Data] = []
    while !rest.isEmpty {
      let length = rest.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      rest = rest.dropFirst(12)
      found.append(Data(rest.prefix(length)))
      rest = rest.dropFirst(length + 4)
    }
    return found
  }

  @Test func `a log is a row of records, the first of which names the version`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try TensorBoardLog(folder: folder.appending(path: "run/seed-1")) {
      Date(timeIntervalSince1970: 1_700_000_000)
    }
    try log.scalar("loss/a", 0.5, step: 3)
    try log.image("figure", png: Data([1, 2, 3]), width: 7, height: 5, step: 0)
    try log.begin(
      [("rate", .number(0.1)), ("method", .text("hipro")), ("sam", .flag(true))], metrics: ["top1/average"])
    try log.end(succeeded: true)
    let data = try Data(contentsOf: log.url)
    let found = try records(data)
    #expect(found.count == 6)
    #expect(String(decoding: found[0], as: UTF8.self).contains("brain.Event:2"))
    // wall_time: field 1, a double.
    #expect(found[1].first == 0x09)
    // Two logs of one process in one second are two files.
    let second = try TensorBoardLog(folder: folder.appending(path: "run/seed-1")) {
      Date(timeIntervalSince1970: 1_700_000_000)
    }
    #expect(second.url != log.url)
    #expect(log.url.lastPathComponent.hasPrefix("events.out.tfevents.1700000000."))
  }

  @Test func `check sums are those of TensorFlow's records`() throws {
    // CRC-32C of "123456789" is a published check value; masked as TensorFlow's record writer does.
    let data = Data("123456789".utf8)
    #expect(MaskedCRC32C.plain(data) == 0xe306_9283)
    let rotated = UInt32(0xe306_9283) >> 15 | UInt32(0xe306_9283) << 17
    #expect(MaskedCRC32C.masked(data) == rotated &+ 0xa282_ead8)
  }

  @Test func `a folder that cannot be made is an error`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "file")
    try Data().write(to: file)
    #expect(throws: BanyanError.self) { try TensorBoardLog(folder: file.appending(path: "below")) }
  }

  private func status() -> LiveStatus {
    var status = LiveStatus(method: "HiPro", process: 1, began: 100)
    (status.phase, status.done, status.total, status.phaseBegan, status.updated) = ("Training", 30, 120, 110, 140)
    (status.seed, status.seedNumber, status.seedCount, status.rate) = (2, 2, 3, 0.002)
    for step in 1...30 { status.add(.init(step: step, tasks: ["ink": 3 - 0.1 * Double(step), "chalk <b>": 1])) }
    status.results = [.init(seed: 1, tasks: ["ink": 0.5, "chalk <b>": 0.75])]
    status.peakMemoryBytes = 512 << 20
    status.groups = [["ink"], ["chalk <b>"]]
    return status
  }

  @Test func `the screen says what a waiting person wants to know`() {
    let screen = status().screen(width: 90, now: 165, isAlive: true)
    for words in [
      "HiPro", "seed 2 (2 of 3)", "1:05", "512 MiB", "Training", "25%", "rate 0.002", "0.000", "62.5", "ink",
    ] {
      #expect(screen.contains(words), "\(words) is not in \(screen)")
    }
    #expect(screen.contains("█") && screen.contains("▁"))
    #expect(!screen.contains("is gone"))
    #expect(status().screen(width: 90, now: 165, isAlive: false).contains("--resume"))
    #expect(!LiveStatus(method: "CoOp", process: 1, began: 0).screen(width: 20, now: 1, isAlive: true).isEmpty)
  }

  @Test func `a long run keeps as many points as are drawn, and the last one`() {
    var status = status()
    for step in 31...5000 { status.add(.init(step: step, tasks: ["ink": Double(step)])) }
    #expect(status.losses.count <= 240 && status.losses.count > 100)
    #expect(status.latest?.step == 5000 && status.losses.first?.step == 1)
    let gaps = Set(zip(status.losses, status.losses.dropFirst()).map { $1.step - $0.step })
    #expect(gaps == [status.stride] && status.stride >= 16)
    #expect(status.screen(width: 80, now: 200, isAlive: true).contains("from step 1 to 5000"))
    // What no one would write.
    status.losses[0].tasks["ink"] = 1e308
    status.latest = .init(step: 5001, tasks: ["ink": -1e308, "a\u{1B}[2J": .nan])
    status.groups = [["a\nb"]]
    let screen = status.screen(width: 40, now: .infinity, isAlive: true)
    #expect(!screen.contains("\u{1B}") && screen.split(separator: "\n").allSatisfy { $0.count <= 60 })
  }

  @Test func `a status is read back, and one of the future is refused`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try LiveStatus.read(folder) == nil)
    var status = status()
    try JSONDocument.write(status, to: folder.appending(path: LiveStatus.fileName))
    #expect(try LiveStatus.read(folder) == status)
    status.schema = 2
    try JSONDocument.write(status, to: folder.appending(path: LiveStatus.fileName))
    #expect(throws: BanyanError.self) { try LiveStatus.read(folder) }
  }
}
