/// The training loss of every task of a run over its steps; the first seed's.
struct TrainingFigure {
  private let curve: LossCurve
  private let names: [String]
  private let title: String

  /// The figure of a run; `nil` where nothing was trained.
  init?(_ run: NamedRecord) {
    guard let curve = run.record.runs.first?.lossCurve, curve.steps.count > 1 else { return nil }
    // More points than a line has pixels show nothing; many lines on one another show less.
    self.curve = curve.downsampled(to: max(60, min(400, 6000 / max(1, curve.tasks.count))))
    names = run.record.taskNames.filter { curve.tasks[$0] != nil }
    title = "\(run.record.methodTitle) (\(run.name))"
  }

  func drawing(name: String) -> Drawing {
    var figure = Drawing(
      name: name, title: "Training loss: \(title)", summary: summary, width: 720, height: 330)
    let (top, bottom) = (16.0, 280.0)
    let right = 700 - (names.map { Drawing.width(of: $0, size: 11) }.max() ?? 0)
    let x = Axis(over: curve.steps.map(Double.init), from: 52, to: right - 6)
    let y = Axis(over: names.flatMap { curve.tasks[$0] ?? [] }, from: bottom, to: top)
    for tick in y.ticks() {
      figure.add(.line([.init(52, y.place(tick)), .init(right, y.place(tick))]), .grid)
      figure.text(
        NumberText.fixed(tick, tick.rounded() == tick ? 0 : 1), at: .init(46, y.place(tick) + 4), .muted, size: 11, .end
      )
    }
    for tick in x.ticks() where tick >= 0 {
      figure.text(NumberText.grouped(Int(tick)), at: .init(x.place(tick), bottom + 18), .muted, size: 11, .middle)
    }
    figure.text("step", at: .init((52 + right) / 2, bottom + 38), .muted, size: 12, .middle)
    var ends: [(y: Double, name: String, number: Int)] = []
    for (number, name) in names.enumerated() {
      let losses = curve.tasks[name] ?? []
      let points = zip(curve.steps, losses).filter { $1.isFinite }.map {
        Drawing.Point(x.place(Double($0)), y.place($1))
      }
      guard let last = points.last, let loss = losses.last else { continue }
      figure.add(
        .line(points), .series(number), width: 1.6,
        tip: "\(name): \(NumberText.fixed(losses[0], 3)) to \(NumberText.fixed(loss, 3))")
      ends.append((last.y, name, number))
    }
    var lowest = -Double.infinity
    for end in ends.sorted(by: { ($0.y, $0.number) < ($1.y, $1.number) }) {
      let place = max(end.y + 4, lowest + 12)
      lowest = place
      if place <= 326 { figure.text(end.name, at: .init(right + 2, place), .series(end.number), size: 11) }
    }
    return figure
  }

  private var summary: String {
    names.compactMap { name in
      curve.tasks[name].flatMap { losses in
        losses.first.flatMap { first in
          losses.last.map { "\(name) from \(NumberText.fixed(first, 2)) to \(NumberText.fixed($0, 2))" }
        }
      }
    }.joined(separator: ", ") + "."
  }
}
