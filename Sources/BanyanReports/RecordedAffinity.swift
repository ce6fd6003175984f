/// The affinities of one seed as they were measured.
public struct RecordedAffinity: Codable, Sendable, Equatable {
  /// The tasks, one per row and column.
  public var names: [String]
  /// The affinities, `[tasks, tasks]`, symmetric.
  public var values: [[Double]]
  /// How they were measured, such as `cosine`, `dot` or `look-ahead`.
  public var kind: String

  /// Creates a recorded matrix.
  public init(names: [String], values: [[Double]], kind: String) {
    self.names = names
    self.values = values
    self.kind = kind
  }
}
