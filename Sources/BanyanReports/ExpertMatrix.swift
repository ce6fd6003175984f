import BanyanFoundation
public import Foundation

/// Which expert serves which task: distances by embeddings, errors where they were measured, and what would be selected.
public struct ExpertMatrix: Codable, Sendable, Equatable {
  /// The version of the form that this version of Banyan writes.
  public static let currentSchema = 1

  /// The form's version.
  public var schema = Self.currentSchema
  /// What was typed.
  public var command: [String]
  /// The tasks, a row each.
  public var tasks: [String]
  /// The experts, a column each.
  public var experts: [String]
  /// The asymmetric distance from the expert's task to the task, [tasks, experts].
  public var distances: [[Double]]
  /// The share of test pictures that go wrong, [tasks, experts]; `null` where it is not known, or not allowed to be asked.
  public var errors: [[Double?]]
  /// Whether the expert may be selected for the task: not where it has learned from the task's own pictures, [tasks, experts].
  public var isAllowed: [[Bool]]
  /// The expert that is selected for each task; `null` where none is allowed.
  public var selected: [Int?]
  /// How it is selected.
  public var rule: String

  /// Creates a matrix.
  public init(
    command: [String], tasks: [String], experts: [String], distances: [[Double]], errors: [[Double?]],
    isAllowed: [[Bool]], selected: [Int?], rule: String
  ) {
    (self.command, self.tasks, self.experts, self.distances) = (command, tasks, experts, distances)
    (self.errors, self.isAllowed, self.selected, self.rule) = (errors, isAllowed, selected, rule)
  }

  /// Reads what `banyan recommend` or `banyan meta-task` wrote.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where it is damaged or was written by a newer version.
  public static func read(_ url: URL) throws -> ExpertMatrix {
    let matrix = try JSONDocument.read(ExpertMatrix.self, from: url)
    guard matrix.schema >= 1, matrix.schema <= currentSchema else {
      throw BanyanError(
        .malformed, at: "\(url.path): schema", "expected 1 to \(currentSchema), found \(matrix.schema)",
        remedy: "Read it with the version of Banyan that wrote it, or a newer one.")
    }
    let (rows, columns) = (matrix.tasks.count, matrix.experts.count)
    let fits =
      matrix.distances.count == rows && matrix.distances.allSatisfy { $0.count == columns }
      && matrix.errors.count == rows && matrix.errors.allSatisfy { $0.count == columns }
      && matrix.isAllowed.count == rows && matrix.isAllowed.allSatisfy { $0.count == columns }
      && matrix.selected.count == rows && matrix.selected.allSatisfy { $0.map((0..<columns).contains) ?? true }
    guard fits else {
      throw BanyanError(.malformed, at: url.path, "expected \(rows) rows of \(columns) numbers")
    }
    return matrix
  }

  /// The expert with the lowest known error among those allowed.
  public func best(_ task: Int) -> Int? {
    experts.indices.filter { isAllowed[task][$0] && errors[task][$0] != nil }.min {
      (errors[task][$0] ?? 1, $0) < (errors[task][$1] ?? 1, $1)
    }
  }

  /// What selection costs: mean errors over the tasks whose errors are known.
  public struct Summary: Sendable, Equatable {
    /// Of the selected experts.
    public var selected: Double
    /// Of the best ones.
    public var best: Double
    /// Of one drawn at random.
    public var random: Double
    /// On how many tasks the best one is selected.
    public var hits: Int
    /// On how many tasks this was found.
    public var tasks: Int
  }

  /// The summary; `nil` where no errors are known.
  public var summary: Summary? {
    var (chosen, lowest, mean, hits, count) = (0.0, 0.0, 0.0, 0, 0)
    for task in tasks.indices {
      guard let pick = selected[task], let own = errors[task][pick], let best = best(task),
        let least = errors[task][best]
      else { continue }
      let known = experts.indices.filter { isAllowed[task][$0] }.compactMap { errors[task][$0] }
      chosen += own
      lowest += least
      mean += known.reduce(0, +) / Double(known.count)
      hits += own <= least ? 1 : 0
      count += 1
    }
    guard count > 0 else { return nil }
    let total = Double(count)
    return Summary(selected: chosen / total, best: lowest / total, random: mean / total, hits: hits, tasks: count)
  }

  /// The figure as a file of its own.
  public func svg(name: String) -> String { ExpertFigure(self).drawing(name: name).svg(isAlone: true) }

  /// For each task the experts that come first, in at most `width` columns.
  public func text(width: Int, count: Int = 3) -> String {
    var rows: [[String]] = []
    for task in tasks.indices {
      let allowed = experts.indices.filter { isAllowed[task][$0] }
      let order = allowed.sorted { (distances[task][$0], $0) < (distances[task][$1], $1) }
      // The selected one first, whatever selected it.
      let shown = (selected[task].map { pick in [pick] + order.filter { $0 != pick } } ?? order).prefix(count)
      for (rank, expert) in shown.enumerated() {
        let error = errors[task][expert]
        let isBest = error != nil && best(task).map { errors[task][$0] == error } ?? false
        rows.append([
          rank == 0 ? tasks[task] : "",
          rank == 0 && selected[task] != nil ? "→ \(experts[expert])" : "  \(experts[expert])",
          NumberText.fixed(distances[task][expert], 4),
          error.map { NumberText.percent($0) + (isBest ? " *" : "  ") } ?? "–",
        ])
      }
    }
    let table = TextTable(headings: ["task", "expert", "distance", "error"], rows: rows)
    var lines = table.lines(width: width)
    if let summary {
      lines.append("")
      lines.append(
        "Mean error of the selected \(NumberText.percent(summary.selected)) %, of the best "
          + "\(NumberText.percent(summary.best)) %, of one at random \(NumberText.percent(summary.random)) %; the best one is "
          + "selected on \(summary.hits) of \(summary.tasks) tasks.")
      lines.append("* the lowest error of all experts. Selected by \(rule).")
    } else {
      lines.append("")
      lines.append("Selected by \(rule). Errors were not measured.")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
