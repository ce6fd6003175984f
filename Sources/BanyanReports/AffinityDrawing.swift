import BanyanFoundation

/// The affinities of a run's tasks as a table of text, ordered by the tree, averaged over seeds.
public struct AffinityDrawing: Sendable, Equatable {
  /// The tasks in the order of the rows.
  public let names: [String]
  /// The mean affinities, `[tasks, tasks]`.
  public let values: [[Double]]
  /// How they were measured.
  public let kind: String
  /// Over how many seeds they are averaged.
  public let seeds: Int

  /// Averages matrices over the same tasks and orders them.
  ///
  /// - Parameters:
  ///   - matrices: One per seed.
  ///   - order: Names in the order to show, as ``TreeDrawing/order`` has it; others follow in their own order.
  /// - Throws: A `BanyanError` of kind `malformed` where a matrix is not square or the tasks or kinds differ.
  public init(_ matrices: [RecordedAffinity], order: [String] = []) throws {
    guard let first = matrices.first else {
      throw BanyanError(.missingInput, at: "recorded affinity", "the record holds no affinities")
    }
    let size = first.names.count
    for matrix in matrices {
      guard matrix.names == first.names, matrix.kind == first.kind else {
        throw BanyanError(.malformed, at: "recorded affinity", "the seeds' tasks or kinds of affinity differ")
      }
      guard matrix.values.count == size, matrix.values.allSatisfy({ $0.count == size }) else {
        throw BanyanError(.malformed, at: "recorded affinity", "expected \(size) rows of \(size) values")
      }
    }
    let ranks = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let places = first.names.indices.sorted {
      (ranks[first.names[$0]] ?? order.count, $0) < (ranks[first.names[$1]] ?? order.count, $1)
    }
    names = places.map { first.names[$0] }
    values = places.map { i in places.map { j in Statistics.mean(matrices.map { $0.values[i][j] }) } }
    kind = first.kind
    seeds = matrices.count
  }

  /// The table in at most `width` columns; columns are numbered as the rows are.
  public func text(width: Int) -> String {
    let largest = values.joined().reduce(0) { max($0, abs($1)) }
    let digits = "\(names.count)".count
    let rows = names.indices.map { i in
      ["\(TextWidth.right("\(i + 1)", digits)) \(names[i])"]
        + values[i].map { NumberText.affinity($0, largest: largest) }
    }
    let title = "affinity (\(TextWidth.printable(kind))\(seeds > 1 ? ", mean of \(seeds) seeds" : ""))"
    let table = TextTable(headings: [""] + names.indices.map { "\($0 + 1)" }, rows: rows)
    return ([title] + table.lines(width: width)).joined(separator: "\n") + "\n"
  }
}
