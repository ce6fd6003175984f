/// Every task in a row, every method a dot with its spread over seeds.
///
/// Paper: Liu et al., *Hierarchical Prompt Learning for Multi-Task Learning*, CVPR 2023, figure A2.
struct TaskFigure {
  private let table: ComparisonTable

  init(_ table: ComparisonTable) { self.table = table }

  func drawing(name: String) -> Drawing {
    let rows = table.rows
    let left = 24 + (table.tasks.map { Drawing.width(of: $0) }.max() ?? 0)
    let pitch = max(22, min(64, 7 * Double(rows.count) + 10))
    let keys = key(width: 700 - left)
    let top = 20 + 18 * Double(keys.lines)
    let bottom = top + pitch * Double(table.tasks.count)
    var figure = Drawing(
      name: name, title: "Top-1 of every task", summary: summary, width: 720, height: bottom + 44)
    let values = rows.flatMap { row in row.tasks.compactMap { $0.map { 100 * $0 } } }
    let x = Axis(over: values, from: left, to: 704)
    for (number, place) in keys.places.enumerated() {
      figure.add(Drawing.mark(of: number, at: .init(left + place.x, 14 + place.y), radius: 4), .series(number))
      figure.text(rows[number].label, at: .init(left + place.x + 9, 18 + place.y), .text, size: 11)
    }
    for tick in x.ticks(7) {
      figure.add(.line([.init(x.place(tick), top), .init(x.place(tick), bottom)]), .grid)
      figure.text(NumberText.fixed(tick, 0), at: .init(x.place(tick), bottom + 18), .muted, size: 11, .middle)
    }
    figure.text("top-1, %", at: .init((left + 704) / 2, bottom + 36), .muted, size: 12, .middle)
    for (column, task) in table.tasks.enumerated() {
      let y = top + pitch * Double(column)
      figure.add(.line([.init(left, y), .init(704, y)]), .grid)
      figure.text(task, at: .init(left - 10, y + pitch / 2 + 4), .text, size: 12, .end)
      let step = (pitch - 8) / Double(max(1, rows.count))
      for (number, row) in rows.enumerated() {
        guard let value = row.tasks[column] else { continue }
        let at = Drawing.Point(x.place(100 * value), y + 4 + step * (Double(number) + 0.5))
        if let spread = row.taskStds[column], spread > 0 {
          let ends = [-1, 1].map { Drawing.Point(x.place(100 * (value + $0 * spread)), at.y) }
          figure.add(.line(ends), .series(number), width: 1.5, opacity: 0.7)
        }
        figure.add(
          Drawing.mark(of: number, at: at, radius: min(4, step * 0.6)), .series(number),
          tip: "\(task), \(row.label): \(NumberText.percent(value, spread: row.taskStds[column])) %")
      }
    }
    return figure
  }

  /// Where the methods' names stand above the figure.
  private func key(width: Double) -> (places: [Drawing.Point], lines: Int) {
    var (x, line) = (0.0, 0)
    let places = table.rows.map { row in
      let own = Drawing.width(of: row.label, size: 11) + 28
      if x > 0, x + own > width { (x, line) = (0, line + 1) }
      defer { x += own }
      return Drawing.Point(x, 18 * Double(line))
    }
    return (places, line + 1)
  }

  private var summary: String {
    table.tasks.enumerated().map { column, task in
      let best = table.rows.filter { $0.tasks[column] != nil }.max { ($0.tasks[column] ?? 0) < ($1.tasks[column] ?? 0) }
      return best.map { "\(task): \($0.label), \(NumberText.percent($0.tasks[column] ?? 0)) %." } ?? "\(task): none."
    }.joined(separator: " ")
  }
}
