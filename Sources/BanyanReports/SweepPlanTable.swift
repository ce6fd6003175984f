/// What a sweep is going to do: one row per run, with its state and what is left.
public struct SweepPlanTable: Codable, Sendable, Equatable {
  /// One run.
  public struct Row: Codable, Sendable, Equatable {
    /// The amount of samples, such as `6 shots`.
    public var samples: String
    /// The run's name.
    public var run: String
    /// The method's name in the catalogue.
    public var method: String
    /// How far it has come, in a word or two.
    public var state: String
    /// Whether nothing is left to do.
    public var isDone: Bool
    /// How many seeds it has.
    public var seeds: Int
    /// The optimizer steps of all seeds, taken or at most to be taken; `nil` where nothing is known of the data.
    public var steps: Int?
    /// The wall seconds, measured or estimated; `nil` where nothing is known.
    public var seconds: Double?

    /// Creates a row.
    public init(samples: String, run: String, method: String, state: String, isDone: Bool, seeds: Int) {
      self.samples = samples
      self.run = run
      self.method = method
      self.state = state
      self.isDone = isDone
      self.seeds = seeds
    }
  }

  /// The runs, in the order in which they are done.
  public var rows: [Row]

  /// Creates a table.
  public init(rows: [Row]) { self.rows = rows }

  /// The table as aligned text in at most `width` columns, with the time that is left in a last line.
  public func text(width: Int) -> String {
    let table = TextTable(
      headings: ["Run", "Samples", "Method", "State", "Seeds", "Steps", "Time"],
      rows: rows.map { row in
        [
          row.run, row.samples, row.method, row.state, "\(row.seeds)", row.steps.map(NumberText.grouped) ?? "–",
          row.seconds.map { (row.isDone ? "" : "about ") + NumberText.duration($0) } ?? "unknown",
        ]
      })
    return (table.lines(width: width) + [remainder]).joined(separator: "\n") + "\n"
  }

  /// The last line, such as `3 of 5 runs are left, about 2:05 and 1 of unknown time.`.
  private var remainder: String {
    let left = rows.filter { !$0.isDone }
    guard !left.isEmpty else { return "Nothing is left to do." }
    let known = left.compactMap(\.seconds)
    let times =
      (known.isEmpty ? [] : ["about " + NumberText.duration(known.reduce(0, +))])
      + (known.count == left.count ? [] : ["\(left.count - known.count) of unknown time"])
    let verb = left.count == 1 ? "is" : "are"
    return "\(left.count) of \(rows.count) runs \(verb) left, \(times.joined(separator: " and "))."
  }
}
