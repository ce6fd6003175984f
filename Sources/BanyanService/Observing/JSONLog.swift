import Foundation
public import Logging

/// Log lines as JSON objects, one a line, for programs that collect logs.
public struct JSONLog: LogHandler {
  public var logLevel = Logger.Level.info
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?
  private let label: String
  private let write: @Sendable (String) -> Void

  /// A handler whose lines go to `write`.
  public init(label: String, write: @escaping @Sendable (String) -> Void) {
    (self.label, self.write) = (label, write)
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var members: [String: String] = [:]
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { _, own in own }) {
      members[key] = "\(value)"
    }
    members["time"] = Date.now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
    members["level"] = event.level.rawValue
    members["logger"] = label
    members["message"] = "\(event.message)"
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(members) else { return }
    write(String(decoding: data, as: UTF8.self))
  }
}
