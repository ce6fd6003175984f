import BanyanFoundation
public import Foundation

extension ComparisonTable {
  /// The table as aligned text in at most `width` columns, per cent, `*` at the best of each column, notes below.
  ///
  /// Every task's spread over seeds is shown where there is room, that of the average always. Task names are shortened
  /// where the terminal is narrow; where that is not enough the columns continue below.
  public func text(width: Int) -> String {
    let full = textTable(showsSpreads: true)
    let table = full.naturalWidth <= width ? full : textTable(showsSpreads: false)
    let remarks = notes.map { "Not a fair comparison: \(TextWidth.printable($0))" }
    return (table.lines(width: width) + (remarks.isEmpty ? [] : [""] + remarks)).joined(separator: "\n") + "\n"
  }

  private func textTable(showsSpreads: Bool) -> TextTable {
    let best = best
    return TextTable(
      headings: ["Method"] + tasks + ["Average", "Trained", "Time"],
      rows: rows.map { row -> [String] in
        // A blank where others have a star keeps the digits of a column below each other.
        let values = row.tasks.indices.map { column -> String in
          guard let value = row.tasks[column] else { return "– " }
          let text = NumberText.percent(value, spread: showsSpreads ? row.taskStds[column] : nil)
          return text + (best[column] == NumberText.percent(value) ? "*" : " ")
        }
        let star = best.last == NumberText.percent(row.average) ? "*" : " "
        return [row.label] + values + [
          NumberText.percent(row.average, spread: row.averageStd) + star, NumberText.short(row.trainableParameters),
          row.seconds.map(NumberText.duration) ?? "–",
        ]
      }, shortenable: 1..<tasks.count + 1)
  }

  /// The table as a GitHub Markdown table, per cent, the best of each column in bold, notes below as a list.
  public var markdown: String {
    let best = best
    func cell(_ text: String, _ isBest: Bool) -> String { isBest ? "**\(text)**" : text }
    var lines = [
      ["Method"] + tasks + ["Average", "Trained parameters", "Seconds"],
      ["---"] + [String](repeating: "---:", count: tasks.count + 3),
    ]
    for row in rows {
      let values = row.tasks.indices.map { column -> String in
        guard let value = row.tasks[column] else { return "–" }
        return cell(
          NumberText.percent(value, spread: row.taskStds[column]), best[column] == NumberText.percent(value))
      }
      let average = NumberText.percent(row.average, spread: row.averageStd)
      lines.append(
        [row.label] + values + [
          cell(average, best.last == NumberText.percent(row.average)), NumberText.grouped(row.trainableParameters),
          row.seconds.map { NumberText.fixed($0, 1) } ?? "–",
        ])
    }
    let table = lines.map { "| " + $0.map(MarkdownText.cell).joined(separator: " | ") + " |" }
    let remarks = notes.map { "- Not a fair comparison: \(TextWidth.printable($0))" }
    return (table + (remarks.isEmpty ? [] : [""] + remarks)).joined(separator: "\n") + "\n"
  }

  /// The table as CSV (RFC 4180): fractions and counts in full, one line per run, no notes.
  public var csv: String {
    let heading =
      ["method", "run"] + tasks.flatMap { [$0, "\($0)_std"] } + [
        "average", "average_std", "trainable_parameters", "seconds",
      ]
    let lines = rows.map { row -> [String] in
      let cost = ["\(row.trainableParameters)", Self.full(row.seconds)]
      let values = zip(row.tasks, row.taskStds).flatMap { [Self.full($0), Self.full($1)] }
      return [row.label, row.run] + values + [Self.full(row.average), Self.full(row.averageStd)] + cost
    }
    return ([heading] + lines).map { $0.map(CSVText.field).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func full(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  /// The table as a JSON document: rows, columns and notes, fractions in full.
  ///
  /// - Throws: A `BanyanError` where a value is not finite.
  public func json() throws -> Data {
    try JSONDocument.data(self, subject: "comparison table")
  }
}

/// Escaping for one cell of a Markdown table.
enum MarkdownText {
  static func cell(_ text: String) -> String {
    TextWidth.printable(text).split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}

/// Quoting for one field of a CSV line.
enum CSVText {
  static func field(_ text: String) -> String {
    let needsQuotes = text.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    guard needsQuotes else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
