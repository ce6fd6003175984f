/// How far a run's confidence can be trusted: accuracy over confidence of all test pictures of all tasks and seeds.
struct ReliabilityFigure {
  private let bins: [ReliabilityBin]
  private let error: Double
  private let title: String

  /// The figure of a run; `nil` where its records hold no bins.
  init?(_ run: NamedRecord) {
    var merged: [ReliabilityBin] = []
    for seed in run.record.runs {
      for (_, task) in seed.tasks.sorted(by: { $0.key < $1.key }) {
        for bin in task.reliability where bin.count > 0 {
          guard let place = merged.firstIndex(where: { $0.lower == bin.lower && $0.upper == bin.upper }) else {
            merged.append(bin)
            continue
          }
          let count = merged[place].count + bin.count
          func mean(_ part: WritableKeyPath<ReliabilityBin, Double>) {
            merged[place][keyPath: part] =
              (merged[place][keyPath: part] * Double(merged[place].count) + bin[keyPath: part] * Double(bin.count))
              / Double(count)
          }
          mean(\.confidence)
          mean(\.accuracy)
          merged[place].count = count
        }
      }
    }
    guard !merged.isEmpty else { return nil }
    bins = merged.sorted { $0.lower < $1.lower }
    error = run.record.average.expectedCalibrationError
    title = "\(run.record.methodTitle) (\(run.name))"
  }

  func drawing(name: String) -> Drawing {
    let isOver = bins.reduce(0) { $0 + ($1.confidence - $1.accuracy) * Double($1.count) } > 0
    var figure = Drawing(
      name: name, title: "Reliability: \(title)",
      summary: "Expected calibration error \(NumberText.percent(error)) %; on the whole "
        + (isOver ? "too sure of itself." : "not sure enough of itself."), width: 360, height: 360)
    let (left, right, top, bottom) = (48.0, 340.0, 20.0, 312.0)
    func x(_ value: Double) -> Double { left + value * (right - left) }
    func y(_ value: Double) -> Double { bottom - value * (bottom - top) }
    for tick in [0, 0.25, 0.5, 0.75, 1] {
      figure.add(.line([.init(left, y(tick)), .init(right, y(tick))]), .grid)
      figure.text(NumberText.fixed(100 * tick, 0), at: .init(left - 6, y(tick) + 4), .muted, size: 11, .end)
      figure.text(NumberText.fixed(100 * tick, 0), at: .init(x(tick), bottom + 18), .muted, size: 11, .middle)
    }
    let most = Double(bins.map(\.count).max() ?? 1)
    for bin in bins {
      figure.add(
        .box(
          .init(x(bin.lower) + 1, y(bin.accuracy)), width: x(bin.upper) - x(bin.lower) - 2,
          height: bottom - y(bin.accuracy)),
        .series(0), opacity: 0.25 + 0.75 * Double(bin.count) / most,
        tip: "\(NumberText.grouped(bin.count)) predictions, sure by \(NumberText.percent(bin.confidence)) %, right in "
          + "\(NumberText.percent(bin.accuracy)) %")
      let ends = [-1.0, 1].map { Drawing.Point(x((bin.lower + bin.upper) / 2) + $0 * 6, y(bin.confidence)) }
      figure.add(.line(ends), .series(1), width: 2.5)
    }
    figure.add(.line([.init(x(0), y(0)), .init(x(1), y(1))]), .muted)
    figure.text("confidence, %", at: .init((left + right) / 2, bottom + 38), .muted, size: 12, .middle)
    figure.text("accuracy, %", at: .init(14, (top + bottom) / 2), .muted, size: 12, .middle, turned: true)
    return figure
  }
}
