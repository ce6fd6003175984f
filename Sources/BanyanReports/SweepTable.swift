/// The finished runs of one amount of samples: what they reached, what they cost, and what the paper reports.
///
/// Unlike ``ComparisonTable``, which it holds, it also has the peak memory and the paper's number of every row.
public struct SweepTable: Codable, Sendable, Equatable {
  /// The amount of samples, such as `6 shots`.
  public var samples: String
  /// The runs side by side.
  public var comparison: ComparisonTable
  /// The peak memory of every row in bytes; 0 where it was not measured.
  public var peakMemoryBytes: [Int]
  /// What the paper reports for every row, in per cent; `nil` where it reports nothing.
  public var paper: [String?]
  /// The seeds of the first row.
  public var seeds: [UInt64]

  /// Lays runs side by side.
  ///
  /// - Parameters:
  ///   - samples: The amount of samples of all of them.
  ///   - runs: The runs, each with what the paper reports.
  public init(samples: String, runs: [(run: NamedRecord, paper: String?)]) {
    self.samples = samples
    comparison = ComparisonTable(runs.map(\.run))
    peakMemoryBytes = runs.map(\.run.record.measured.peakMemoryBytes)
    paper = runs.map(\.paper)
    seeds = runs.first?.run.record.seeds ?? []
  }

  /// The line above a table: `6 shots: top-1 accuracy in per cent, mean ± standard deviation over seeds 1, 2, 3`.
  var caption: String {
    let list = seeds.map(String.init).joined(separator: ", ")
    let spread = seeds.count == 1 ? "seed \(list)" : "mean ± standard deviation over seeds \(list)"
    return "\(samples): top-1 accuracy in per cent, \(spread)"
  }

  /// The table as aligned text in at most `width` columns; the tasks' columns are there where they fit.
  public func text(width: Int) -> String {
    let choices = [cells(tasks: .withSpread, marks: "*"), cells(tasks: .plain, marks: "*")]
    let fitting = choices.first { $0.naturalWidth <= width } ?? cells(tasks: .none, marks: "*")
    let remarks = comparison.notes.map { "Not a fair comparison: \(TextWidth.printable($0))" }
    let lines = [caption, ""] + fitting.lines(width: width) + (remarks.isEmpty ? [] : [""] + remarks)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The table as a GitHub Markdown table below its caption, the best of each column in bold.
  public var markdown: String {
    let table = cells(tasks: .withSpread, marks: "**")
    let rule = ["---"] + [String](repeating: "---:", count: table.headings.count - 1)
    let lines = ([table.headings, rule] + table.rows).map {
      "| " + $0.map(MarkdownText.cell).joined(separator: " | ") + " |"
    }
    let remarks = comparison.notes.map { "- Not a fair comparison: \(TextWidth.printable($0))" }
    return ([caption, ""] + lines + (remarks.isEmpty ? [] : [""] + remarks)).joined(separator: "\n") + "\n"
  }

  private enum TaskColumns { case withSpread, plain, none }

  /// Headings and cells; `marks` is a star behind the best of a column, or what stands on both sides of it.
  private func cells(tasks: TaskColumns, marks: String) -> TextTable {
    let best = comparison.best
    let hasPaper = paper.contains { $0 != nil }
    func marked(_ value: Double, _ spread: Double?, _ column: Int) -> String {
      let text = NumberText.percent(value, spread: spread)
      let isBest = best[column] == NumberText.percent(value)
      // A blank where others have a star keeps the digits of a column below each other.
      return marks == "*" ? text + (isBest ? "*" : " ") : isBest ? marks + text + marks : text
    }
    let rows = zip(comparison.rows, zip(paper, peakMemoryBytes)).map { row, more -> [String] in
      let shown = tasks == .none ? [] : Array(comparison.tasks.indices)
      let values = shown.map { column in
        row.tasks[column].map { marked($0, tasks == .withSpread ? row.taskStds[column] : nil, column) } ?? "–"
      }
      return [row.label] + values + [marked(row.average, row.averageStd, comparison.tasks.count)]
        + (hasPaper ? [more.0 ?? "–"] : [])
        + [
          NumberText.short(row.trainableParameters), row.seconds.map(NumberText.duration) ?? "–",
          Self.memory(more.1),
        ]
    }
    let headings =
      ["Method"] + (tasks == .none ? [] : comparison.tasks) + ["Average"] + (hasPaper ? ["Paper"] : [])
      + ["Trained", "Time", "Memory"]
    return TextTable(headings: headings, rows: rows)
  }

  /// Bytes as `312 MiB`.
  private static func memory(_ bytes: Int) -> String {
    bytes > 0 ? NumberText.fixed(Double(bytes) / 1_048_576, 0) + " MiB" : "–"
  }
}
