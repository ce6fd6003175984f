import BanyanFoundation

/// How much better or worse runs are than one of them, seed by seed.
///
/// Unlike ``ComparisonTable``, which shows every run's own spread, this pairs runs by seed: both saw the same pictures, so
/// that what a draw makes easy or hard cancels. With `dₛ` the difference of the two averages over tasks at seed `s`:
///
///     d̄ ± t(0.975, n − 1) · sd(d) / √n
public struct PairedDifferences: Codable, Sendable, Equatable {
  /// One run against the baseline.
  public struct Row: Codable, Sendable, Equatable {
    /// The run's folder.
    public var run: String
    /// The method's title.
    public var title: String
    /// The difference of the average top-1 at every common seed, as fractions.
    public var differences: [Double]
    /// The mean of ``differences``.
    public var mean: Double
    /// Half the width of the 95 % interval; `nil` for fewer than two seeds.
    public var halfWidth: Double?
  }

  /// The folder of the run that the others are compared with.
  public var baseline: String
  /// The other runs, in their order.
  public var rows: [Row]

  /// Pairs `runs` with the one whose folder or method is `baseline`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where there is no such run, more than one, or one with other tasks.
  public init(_ runs: [NamedRecord], baseline: String) throws {
    let byName = runs.filter { $0.name == baseline }
    let found = byName.isEmpty ? runs.filter { $0.record.method == baseline } : byName
    guard let base = found.first, found.count == 1 else {
      throw BanyanError(
        .usage, at: "--baseline \(baseline)",
        found.isEmpty ? "no run has this folder or method" : "\(found.count) runs have this name",
        remedy: "Name one run's folder: \(runs.map(\.name).joined(separator: ", ")).")
    }
    let mine = Self.averages(base.record)
    self.baseline = base.name
    rows = try runs.filter { $0 != base }.map { run in
      guard Set(run.record.taskNames) == Set(base.record.taskNames) else {
        throw BanyanError(
          .usage, at: "--baseline \(baseline)", "has other tasks than \(run.name)",
          remedy: "Compare runs over the same tasks.")
      }
      let theirs = Self.averages(run.record)
      let differences = theirs.keys.sorted().compactMap { seed in mine[seed].map { (theirs[seed] ?? $0) - $0 } }
      guard !differences.isEmpty else {
        throw BanyanError(
          .usage, at: "--baseline \(baseline)", "has no seed in common with \(run.name)",
          remedy: "Compare runs over the same seeds.")
      }
      return Row(
        run: run.name, title: run.record.methodTitle, differences: differences, mean: Statistics.mean(differences),
        halfWidth: Self.halfWidth(differences))
    }
  }

  /// The average over tasks at every seed.
  private static func averages(_ record: RunRecord) -> [UInt64: Double] {
    var averages: [UInt64: Double] = [:]
    for run in record.runs { averages[run.seed] = Statistics.mean(run.tasks.values.map(\.top1)) }
    return averages
  }

  private static func halfWidth(_ values: [Double]) -> Double? {
    guard let spread = Statistics.standardDeviation(values),
      let quantile = StudentT.quantile(0.975, degreesOfFreedom: values.count - 1)
    else { return nil }
    return quantile * spread / Double(values.count).squareRoot()
  }

  /// The differences as aligned text, in points of per cent.
  public func text(width: Int) -> String {
    let table = TextTable(
      headings: ["Against \(baseline)", "Points", "95 % interval", "Seeds"],
      rows: rows.map { row in
        [row.run, Self.signed(row.mean), Self.interval(row), "\(row.differences.count)"]
      })
    return table.lines(width: width).joined(separator: "\n") + "\n"
  }

  /// The differences as a GitHub Markdown table, in points of per cent.
  public var markdown: String {
    let lines =
      [["Against \(baseline)", "Points", "95 % interval", "Seeds"], ["---", "---:", "---:", "---:"]]
      + rows.map { [$0.run, Self.signed($0.mean), Self.interval($0), "\($0.differences.count)"] }
    return lines.map { "| " + $0.map(MarkdownText.cell).joined(separator: " | ") + " |" }.joined(separator: "\n") + "\n"
  }

  private static func signed(_ value: Double) -> String {
    let text = NumberText.percent(value)
    return value > 0 && text != "0.0" ? "+" + text : text
  }

  private static func interval(_ row: Row) -> String {
    row.halfWidth.map { "\(signed(row.mean - $0)) … \(signed(row.mean + $0))" } ?? "–"
  }
}
