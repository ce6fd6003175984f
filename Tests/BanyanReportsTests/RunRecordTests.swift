import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct RunRecordTests {
  func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  func failure(_ body: () throws -> Void) -> BanyanError? {
    do {
      try body()
      return nil
    } catch {
      return error as? BanyanError
    }
  }

  @Test func `A record survives the disk, seeds and integers of 64 bits included`() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var record = SampleRecords.hipro
    record.runs[0].seed = .max
    record.seeds[0] = .max
    record.runs[0].affinity = RecordedAffinity(names: ["art"], values: [[1]], kind: "cosine")
    record.runs[0].tree = RecordedTree(newick: "art;", nodes: [.init(index: 0, name: "art")])
    record.skippedImages = ["broken.png"]
    record.notes = ["note"]
    try record.write(folder)
    #expect(try RunRecord.read(folder) == record)
    #expect(try NamedRecord.read(folder) == NamedRecord(name: folder.lastPathComponent, record: record))
  }

  @Test func `Summaries are derived from the seeds by hand-checked arithmetic`() throws {
    let record = SampleRecords.coop
    #expect(record.seeds == [1, 2] && record.taskNames == ["art", "real world"])
    let art = try #require(record.tasks["art"])
    #expect(abs(art.top1 - 0.61) < 1e-12 && art.perSeed == [0.6, 0.62])
    #expect(abs((art.top1Std ?? 0) - 0.02 / 2.0.squareRoot()) < 1e-12)
    #expect(abs(art.expectedCalibrationError - 0.061) < 1e-12 && art.trainSamples == 2 && art.testSamples == 1000)
    // Seeds' averages .65 and .68.
    #expect(abs(record.average.top1 - 0.665) < 1e-12)
    #expect(abs((record.average.top1Std ?? 0) - 0.03 / 2.0.squareRoot()) < 1e-12)
    #expect(record.combinations == nil && record.trainableShare == 0.005)
    let combined = try #require(SampleRecords.hipro.combinations?["individual"])
    #expect(abs(combined.average - 0.55) < 1e-12 && abs((combined.tasks["art"] ?? 0) - 0.55) < 1e-12)
    #expect(abs((combined.averageStd ?? 0) - 0.1 / 2.0.squareRoot()) < 1e-12)
  }

  @Test func `Comparable records differ only where the results do`() {
    var later = SampleRecords.coop
    later.createdAt = "2027-01-01T00:00:00Z"
    later.command = ["banyan", "train", "--resume"]
    later.measured.peakMemoryBytes += 1
    #expect(later != SampleRecords.coop && later.comparable() == SampleRecords.coop.comparable())
    later.runs[0].steps += 1
    #expect(later.comparable() != SampleRecords.coop.comparable())
  }

  @Test func `A newer schema is refused with a remedy, unknown keys are skipped`() throws {
    let data = try JSONDocument.data(SampleRecords.coop, subject: "record")
    let text = String(decoding: data, as: UTF8.self)
    func decode(_ text: String) throws -> RunRecord {
      try JSONDocument.decode(from: Data(text.utf8), subject: "record")
    }
    let extra = text.replacingOccurrences(of: "\"schema\" : 1", with: "\"futureKey\" : [1], \"schema\" : 1")
    #expect(extra != text)
    #expect(try decode(extra) == SampleRecords.coop)
    // A newer record may lack any other key: the schema must be judged first.
    for newer in [
      text.replacingOccurrences(of: "\"schema\" : 1", with: "\"schema\" : 2"), #"{"schema": 7}"#, #"{"schema": 0}"#,
    ] {
      let error = failure { _ = try decode(newer) }
      #expect(error?.kind == .malformed && error?.message.contains("expected 1 to 1, found") == true)
      #expect(error?.remedy.contains("version of Banyan") == true)
    }
    let missing = failure { _ = try decode(text.replacingOccurrences(of: "\"methodTitle\"", with: "\"title\"")) }
    #expect(missing?.subject == "record: methodTitle")
  }

  @Test func `A folder without a record is said to be no finished run`() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let unfinished = failure { _ = try RunRecord.read(folder) }
    #expect(unfinished?.kind == .missingInput && unfinished?.message.contains("no finished run") == true)
    let absent = failure { _ = try RunRecord.read(folder.appendingPathComponent("nothing")) }
    #expect(absent?.kind == .missingInput && absent?.message.contains("expected the folder of a run") == true)
    try Data("{".utf8).write(to: folder.appendingPathComponent("record.json"))
    #expect(failure { _ = try RunRecord.read(folder) }?.kind == .malformed)
  }

  @Test func `A record with a number that is not finite cannot be written`() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var record = SampleRecords.coop
    record.average.top1 = .nan
    #expect(failure { try record.write(folder) }?.kind == .failed)
    #expect(failure { _ = try RunRecord.read(folder) }?.kind == .missingInput)
  }

  @Test func `Statistics agree with values by hand`() {
    #expect(Statistics.mean([]) == 0 && Statistics.mean([3]) == 3 && Statistics.mean([1, 2, 6]) == 3)
    #expect(Statistics.standardDeviation([]) == nil && Statistics.standardDeviation([3]) == nil)
    // Squares 4 + 1 + 9 = 14 over 2.
    #expect(abs((Statistics.standardDeviation([1, 2, 6]) ?? 0) - 7.0.squareRoot()) < 1e-15)
    #expect(Statistics.standardDeviation([2, 2]) == 0)
  }

  @Test func `A loss curve keeps its ends when it is thinned`() {
    let curve = LossCurve(steps: Array(0..<100), tasks: ["a": (0..<100).map(Double.init)])
    let thin = curve.downsampled(to: 4)
    #expect(thin.steps == [0, 33, 66, 99] && thin.tasks["a"] == [0, 33, 66, 99])
    #expect(curve.downsampled(to: 100) == curve && curve.downsampled(to: 0) == LossCurve())
    #expect(curve.downsampled(to: 1).steps == [99])
  }

  @Test func `The total time is given or summed`() {
    #expect(SampleRecords.coop.measured.totalSeconds == 83.4 && Measured().totalSeconds == nil)
    #expect(Measured(wallSeconds: ["data": 1, "training": 2]).totalSeconds == 3)
  }
}
