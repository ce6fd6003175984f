/// Which tasks' traffic differs from what their runs were tested on.
public struct DriftTable: Codable, Sendable, Equatable {
  /// What is said of one task.
  public struct Row: Codable, Sendable, Equatable {
    /// The task.
    public var task: String
    /// How many pictures of traffic were looked at; 0 where there were too few.
    public var pictures: Int
    /// The p-value of all aspects together; `nil` where there were too few pictures.
    public var pValue: Double?
    /// The p-value after Holm's correction over tasks.
    public var corrected: Double?
    /// What differs most.
    public var foremost: String?
    /// The p-value of each aspect alone.
    public var pValues: [String: Double]
    /// Whether the task has moved.
    public var hasMoved: Bool

    /// Describes a task.
    public init(
      task: String, pictures: Int, pValue: Double? = nil, foremost: String? = nil, pValues: [String: Double] = [:]
    ) {
      (self.task, self.pictures, self.pValue, self.foremost) = (task, pictures, pValue, foremost)
      (self.pValues, corrected, hasMoved) = (pValues, nil, false)
    }
  }

  /// One a task.
  public private(set) var rows: [Row]
  /// How often a false alarm is accepted, over all tasks together.
  public let level: Double

  /// A table; p-values are corrected for the number of tasks (Holm, 1979).
  public init(_ rows: [Row], level: Double) {
    self.level = level
    self.rows = rows
    let order = rows.indices.filter { rows[$0].pValue != nil }
      .sorted { (rows[$0].pValue ?? 1, $0) < (rows[$1].pValue ?? 1, $1) }
    var largest = 0.0
    for (rank, index) in order.enumerated() {
      largest = max(largest, min(1, (rows[index].pValue ?? 1) * Double(order.count - rank)))
      self.rows[index].corrected = largest
      self.rows[index].hasMoved = largest <= level
    }
  }

  /// The table in at most `width` columns.
  public func text(width: Int) -> String {
    let lines = rows.map { row in
      [
        row.task, "\(row.pictures)", row.pValue.map { NumberText.fixed($0, 3) } ?? "–",
        row.corrected.map { NumberText.fixed($0, 3) } ?? "–", row.foremost ?? "–",
        row.pValue == nil ? "too few pictures" : row.hasMoved ? "MOVED" : "as it was",
      ]
    }
    return TextTable(headings: ["task", "pictures", "p", "corrected", "foremost", ""], rows: lines)
      .lines(width: width).joined(separator: "\n")
  }
}
