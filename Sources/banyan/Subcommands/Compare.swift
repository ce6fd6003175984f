import ArgumentParser
import BanyanFoundation
import BanyanReports
import Foundation

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts runs side by side: one row a method, one column a task.",
    discussion: """
      Top-1 accuracy in percent, mean ± standard deviation over seeds; the best of a column is marked. Read from the \
      runs' records alone. Where the runs differ in data, model or samples, notes on stderr say so.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, markdown, csv, json }

  private struct Both: Encodable {
    var comparison: ComparisonTable
    var differences: PairedDifferences?
  }

  @Argument(help: "Folders of finished runs.")
  var runs: [String]

  @Option(help: ArgumentHelp("text, markdown, csv or json.", valueName: "format"))
  var format = Format.text

  @Flag(help: "Also show every method's other classifiers (individual, shared, average).")
  var combinations = false

  @Option(
    help: ArgumentHelp(
      "Also show how much the other runs differ from this one, seed by seed, with 95 % intervals.",
      valueName: "run or method"))
  var baseline: String?

  func validate() throws {
    if baseline != nil && format == .csv { throw ValidationError("--baseline goes with text, markdown or json.") }
    if combinations && format != .text { throw ValidationError("--combinations goes with --format text.") }
  }

  func run() throws {
    let records = try NamedRecord.readAll(runs) { Terminal.note("note: left out \($0)") }
    let table = ComparisonTable(records)
    let paired = try baseline.map { try PairedDifferences(records, baseline: $0) }
    switch format {
    case .text: Terminal.result(table.text(width: Terminal.width))
    case .markdown: Terminal.result(table.markdown)
    case .csv: Terminal.result(table.csv)
    case .json where paired == nil: Terminal.result(try table.json())
    case .json:
      Terminal.result(try JSONDocument.data(Both(comparison: table, differences: paired), subject: "comparison"))
    }
    if let paired, format == .text { Terminal.result("\n" + paired.text(width: Terminal.width)) }
    if let paired, format == .markdown { Terminal.result("\n" + paired.markdown) }
    if combinations {
      for record in records {
        guard let table = CombinationTable(record.record) else { continue }
        Terminal.result("\n\(record.record.methodTitle) (\(record.name))\n" + table.text(width: Terminal.width))
      }
    }
    // The text table says it itself.
    if format != .text { for note in table.notes { Terminal.note("note: \(note)") } }
  }
}
