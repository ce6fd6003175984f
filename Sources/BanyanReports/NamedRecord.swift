public import BanyanFoundation
public import Foundation

/// A run's record and the name of the folder it was read from.
public struct NamedRecord: Sendable, Equatable {
  /// The folder's name, to tell runs of one method apart.
  public var name: String
  /// The record.
  public var record: RunRecord
  /// The landscapes that were made of the run.
  public var landscapes: [LandscapeRecord]
  /// The maps that were made of the run.
  public var maps: [MapRecord]
  /// The words nearest to what it has learned.
  public var words: [WordsRecord]

  /// Names a record.
  public init(
    name: String, record: RunRecord, landscapes: [LandscapeRecord] = [], maps: [MapRecord] = [],
    words: [WordsRecord] = []
  ) {
    self.name = name
    self.record = record
    self.landscapes = landscapes
    self.maps = maps
    self.words = words
  }

  /// Reads the record in `runFolder`, with its landscapes, maps and words, and names it after the folder.
  ///
  /// - Throws: What ``RunRecord/read(_:)`` and the `readAll(_:)` of the others throw.
  public static func read(_ runFolder: URL) throws -> NamedRecord {
    NamedRecord(
      name: runFolder.standardizedFileURL.lastPathComponent, record: try RunRecord.read(runFolder),
      landscapes: try LandscapeRecord.readAll(runFolder), maps: try MapRecord.readAll(runFolder),
      words: try WordsRecord.readAll(runFolder))
  }

  /// Reads the records of all finished runs among `folders`.
  ///
  /// - Parameters:
  ///   - folders: The runs' folders.
  ///   - skipped: Is told why a folder among several was left out.
  /// - Throws: What ``RunRecord/read(_:)`` throws, and a `BanyanError` where no run is finished.
  public static func readAll(_ folders: [String], skipped: (BanyanError) -> Void) throws -> [NamedRecord] {
    var records: [NamedRecord] = []
    for path in folders {
      do {
        records.append(try read(URL(fileURLWithPath: path)))
      } catch let error as BanyanError where error.kind == .missingInput && folders.count > 1 {
        skipped(error)
      }
    }
    guard !records.isEmpty else {
      throw BanyanError(
        .missingInput, at: folders.joined(separator: " "), "there is no finished run",
        remedy: "Train one with `banyan train`.")
    }
    return records
  }
}
