import BanyanFoundation
public import Foundation

/// Everything that a sweep has to show: one ``SweepTable`` per amount of samples, and what failed.
public struct SweepReport: Codable, Sendable, Equatable {
  /// What the sweep is called.
  public var title: String
  /// Where the paper's numbers come from.
  public var paper: String?
  /// The tables, in the order of the amounts.
  public var tables: [SweepTable]
  /// The runs that ended with an error, each with its text.
  public var failures: [String: String]

  /// Creates a report.
  public init(title: String, paper: String? = nil, tables: [SweepTable], failures: [String: String] = [:]) {
    self.title = title
    self.paper = paper
    self.tables = tables
    self.failures = failures
  }

  /// The report as aligned text in at most `width` columns.
  public func text(width: Int) -> String {
    (heading(mark: "") + tables.map { $0.text(width: width) }).joined(separator: "\n")
  }

  /// The report as GitHub Markdown.
  public var markdown: String { (heading(mark: "## ") + tables.map(\.markdown)).joined(separator: "\n") }

  /// The report as a JSON document, fractions in full.
  ///
  /// - Throws: A `BanyanError` where a value is not finite.
  public func json() throws -> Data { try JSONDocument.data(self, subject: "sweep report") }

  private func heading(mark: String) -> [String] {
    let hasNumbers = tables.contains { $0.paper.contains { $0 != nil } }
    let source = hasNumbers ? paper.map { "Paper: \(TextWidth.printable($0))\n" } : nil
    return (title.isEmpty ? [] : [mark + TextWidth.printable(title) + "\n"]) + (source.map { [$0] } ?? [])
  }
}
