public import Foundation

/// A run's record and the name of the folder it was read from.
public struct NamedRecord: Sendable, Equatable {
  /// The folder's name, to tell runs of one method apart.
  public var name: String
  /// The record.
  public var record: RunRecord

  /// Names a record.
  public init(name: String, record: RunRecord) {
    self.name = name
    self.record = record
  }

  /// Reads the record in `runFolder` and names it after the folder.
  ///
  /// - Throws: What ``RunRecord/read(_:)`` throws.
  public static func read(_ runFolder: URL) throws -> NamedRecord {
    NamedRecord(name: runFolder.standardizedFileURL.lastPathComponent, record: try RunRecord.read(runFolder))
  }
}
