/// A table as aligned text without boxes, as wide as its contents and never wider than the terminal.
///
/// Where it does not fit, headings are shortened first (as far as they stay different), then the first column; then the
/// other columns continue below, in blocks that repeat the first.
struct TextTable {
  /// The headings; the first column is aligned left, the others right.
  var headings: [String]
  /// The rows, each as long as the headings.
  var rows: [[String]]
  /// The columns whose headings may be shortened.
  var shortenable: Range<Int> = 0..<0

  private static let gap = 2
  private static let narrowest = 5
  private static let narrowestFirst = 12

  /// How many columns the table takes where nothing is shortened.
  var naturalWidth: Int {
    headings.indices.reduce(-Self.gap) { sum, column in
      let cells = ([headings] + rows).map { TextWidth.columns(TextWidth.printable($0[column])) }
      return sum + Self.gap + (cells.max() ?? 0)
    }
  }

  /// The table's lines in at most `width` columns (more only where a single cell is wider than that).
  func lines(width: Int) -> [String] {
    let headings = headings.map(TextWidth.printable)
    let rows = rows.map { $0.map(TextWidth.printable) }
    guard !headings.isEmpty else { return [] }
    let cells = headings.indices.map { column in
      rows.reduce(0) { max($0, column < $1.count ? TextWidth.columns($1[column]) : 0) }
    }
    var first = max(cells[0], TextWidth.columns(headings[0]))
    var shown = headings
    var widths = zip(cells, headings).map { max($0, TextWidth.columns($1)) }
    func total(_ widths: [Int]) -> Int { widths.dropFirst().reduce(first) { $0 + Self.gap + $1 } }
    if total(widths) > width {
      // The widest limit on headings that fits; the narrowest that keeps them apart where none does.
      let longest = shortenable.reduce(0) { max($0, widths[$1]) }
      for limit in stride(from: longest, through: Self.narrowest, by: -1) {
        guard let short = shortened(headings, limit) else { break }
        shown = short
        widths = zip(cells, short).map { max($0, TextWidth.columns($1)) }
        if total(widths) <= width { break }
      }
    }
    if total(widths) > width { first = max(min(first, Self.narrowestFirst), first - (total(widths) - width)) }
    widths[0] = first
    return Self.blocks(widths, width: width).enumerated().flatMap { index, block in
      (index > 0 ? [""] : []) + ([shown] + rows).map { Self.line($0, columns: block, widths: widths) }
    }
  }

  /// The headings with those of tasks cut to `limit` columns; `nil` where two of them would look the same.
  private func shortened(_ headings: [String], _ limit: Int) -> [String]? {
    for cut in [TextWidth.clipped, TextWidth.clippedInside] {
      let short = headings.indices.map { shortenable.contains($0) ? cut(headings[$0], limit) : headings[$0] }
      if Set(short).count == Set(headings).count { return short }
    }
    return nil
  }

  /// The columns after the first, divided so that each block fits.
  private static func blocks(_ widths: [Int], width: Int) -> [[Int]] {
    var blocks: [[Int]] = [[]]
    var used = widths[0]
    for column in widths.indices.dropFirst() {
      if used + gap + widths[column] > width, !blocks[blocks.count - 1].isEmpty {
        blocks.append([])
        used = widths[0]
      }
      blocks[blocks.count - 1].append(column)
      used += gap + widths[column]
    }
    return blocks
  }

  private static func line(_ cells: [String], columns: [Int], widths: [Int]) -> String {
    var text = TextWidth.left(TextWidth.clippedInside(cells.first ?? "", widths[0]), widths[0])
    for column in columns {
      let cell = column < cells.count ? cells[column] : ""
      text += String(repeating: " ", count: gap) + TextWidth.right(cell, widths[column])
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}
