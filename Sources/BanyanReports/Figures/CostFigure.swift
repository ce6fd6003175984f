/// What a method brings against what it trains: average top-1 over trainable parameters, areas by parameters.
///
/// Paper: Xin et al., *MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning*, AAAI 2024, figure 1.
struct CostFigure {
  private let rows: [ComparisonTable.Row]

  init(_ table: ComparisonTable) { rows = table.rows }

  func drawing(name: String) -> Drawing {
    let best = rows.max { $0.average < $1.average }
    var figure = Drawing(
      name: name, title: "Average top-1 against trained parameters",
      summary: best.map {
        "\(rows.count) runs; the best is \($0.label) with \(NumberText.percent($0.average)) % and "
          + "\(NumberText.grouped($0.trainableParameters)) trained parameters."
      } ?? "", width: 720, height: 400)
    // What trains nothing has no place on a logarithmic axis: it stands left of it.
    let trained = rows.filter { $0.trainableParameters > 0 }
    let (left, right, top, bottom) = (130.0, 700.0, 24.0, 350.0)
    let x = Axis(
      over: trained.map { Double($0.trainableParameters) }, from: left + 30, to: right - 20, isLogarithmic: true)
    let y = Axis(
      over: rows.flatMap { row in [-1, 0, 1].map { 100 * (row.average + $0 * (row.averageStd ?? 0)) } }, from: bottom,
      to: top)
    for tick in y.ticks() {
      figure.add(.line([.init(left - 60, y.place(tick)), .init(right, y.place(tick))]), .grid)
      figure.text(NumberText.fixed(tick, 0), at: .init(left - 66, y.place(tick) + 4), .muted, size: 11, .end)
    }
    for tick in x.ticks() {
      figure.add(.line([.init(x.place(tick), top), .init(x.place(tick), bottom)]), .grid)
      figure.text(NumberText.short(Int(tick)), at: .init(x.place(tick), bottom + 18), .muted, size: 11, .middle)
    }
    figure.text("none", at: .init(left - 20, bottom + 18), .muted, size: 11, .middle)
    figure.text("trained parameters", at: .init((left + right) / 2, bottom + 38), .muted, size: 12, .middle)
    figure.text("average top-1, %", at: .init(20, (top + bottom) / 2), .muted, size: 12, .middle, turned: true)

    let most = Double(max(1, rows.map(\.trainableParameters).max() ?? 1))
    let placed = rows.enumerated().map { index, row in
      (
        row: row, ink: Drawing.Ink.series(index),
        at: Drawing.Point(
          row.trainableParameters > 0 ? x.place(Double(row.trainableParameters)) : left - 20, y.place(100 * row.average)
        ),
        radius: 5 + 17 * (Double(row.trainableParameters) / most).squareRoot()
      )
    }
    // Large ones below, so that none is hidden.
    for item in placed.sorted(by: { $0.radius > $1.radius }) {
      if let spread = item.row.averageStd, spread > 0 {
        let ends = [-1, 1].map { Drawing.Point(item.at.x, y.place(100 * (item.row.average + $0 * spread))) }
        figure.add(.line(ends), item.ink, width: 1.5)
      }
      figure.add(.disc(item.at, radius: item.radius), item.ink, opacity: 0.75, tip: tip(item.row))
    }
    for (item, place) in zip(placed, labels(placed.map { ($0.row.label, $0.at, $0.radius) })) {
      figure.text(item.row.label, at: place.at, .text, size: 11, place.anchor)
    }
    return figure
  }

  private func tip(_ row: ComparisonTable.Row) -> String {
    "\(row.label): \(NumberText.percent(row.average, spread: row.averageStd)) %, "
      + "\(NumberText.grouped(row.trainableParameters)) trained parameters"
      + (row.seconds.map { ", \(NumberText.duration($0))" } ?? "")
  }

  /// Places beside the discs, moved down where two would overlap.
  private func labels(_ items: [(text: String, at: Drawing.Point, radius: Double)])
    -> [(at: Drawing.Point, anchor: Drawing.Anchor)]
  {
    var places = [(at: Drawing.Point, anchor: Drawing.Anchor)](repeating: (.init(0, 0), .start), count: items.count)
    var taken: [(x: ClosedRange<Double>, y: Double)] = []
    for index in items.indices.sorted(by: { items[$0].at.y < items[$1].at.y }) {
      let item = items[index]
      let width = Drawing.width(of: item.text, size: 11)
      let isLeft = item.at.x + item.radius + 6 + width > 715
      let x = isLeft ? item.at.x - item.radius - 6 : item.at.x + item.radius + 6
      let span = isLeft ? x - width...x : x...x + width
      var y = item.at.y + 4
      while let other = taken.first(where: { abs($0.y - y) < 12 && $0.x.overlaps(span) }) { y = other.y + 12.5 }
      taken.append((span, y))
      places[index] = (.init(x, y), isLeft ? .end : .start)
    }
    return places
  }
}
