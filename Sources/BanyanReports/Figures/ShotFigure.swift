import BanyanFoundation

/// Accuracy of each method over the number of training pictures a class, with bands of one standard deviation over seeds.
///
/// Paper: Xin et al., *MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning*, AAAI 2024, figure 5.
struct ShotFigure {
  private struct Curve {
    var title: String
    var label: String
    /// What its first run was made with, amounts aside.
    var settings: [String: JSONValue]
    var points: [(shots: Double, average: Double, spread: Double?, run: String)]
  }

  private let curves: [Curve]

  /// The curves of the runs; `nil` where no method was run with two amounts of pictures.
  init?(_ runs: [NamedRecord]) {
    var curves: [Curve] = []
    for run in runs {
      guard let shots = Self.picturesPerClass(run.record) else { continue }
      let point = (
        shots: shots, average: run.record.average.top1, spread: run.record.average.top1Std, run: run.name
      )
      // Of the method's curves that have no such amount yet the one with the same settings, else its first. A second run on
      // as many pictures differs in something else, and is a curve of its own.
      let (title, settings) = (run.record.methodTitle, Self.settings(run.record))
      let open = curves.indices.filter { place in
        curves[place].title == title && !curves[place].points.contains { $0.shots == shots }
      }
      if let known = open.first(where: { curves[$0].settings == settings })
        ?? open.first(where: { curves[$0].label == title })
      {
        curves[known].points.append(point)
      } else {
        let isNew = !curves.contains { $0.label == title }
        curves.append(
          Curve(title: title, label: isNew ? title : "\(title) (\(run.name))", settings: settings, points: [point]))
      }
    }
    guard curves.contains(where: { $0.points.count > 1 }) else { return nil }
    for place in curves.indices { curves[place].points.sort { $0.shots < $1.shots } }
    self.curves = curves
  }

  private static func settings(_ record: RunRecord) -> [String: JSONValue] {
    (record.experiment.objectValue ?? [:]).filter { !["samples", "seeds"].contains($0.key) }
  }

  /// The mean number of training pictures of a class, over tasks; `nil` where a run does not say.
  private static func picturesPerClass(_ record: RunRecord) -> Double? {
    guard let split = record.runs.first?.split, !split.isEmpty else { return nil }
    let means = split.map { Double($0.train.count) / Double(max(1, Set($0.train.map(\.label)).count)) }
    let mean = means.reduce(0, +) / Double(means.count)
    return mean > 0 ? mean : nil
  }

  func drawing(name: String) -> Drawing {
    var figure = Drawing(
      name: name, title: "Average top-1 over training pictures a class", summary: summary, width: 720, height: 400)
    let points = curves.flatMap(\.points)
    let right = 690 - (curves.map { Drawing.width(of: $0.label, size: 11) }.max() ?? 0)
    let (left, top, bottom) = (60.0, 16.0, 350.0)
    let x = Axis(over: points.map(\.shots), from: left, to: right, isLogarithmic: true)
    let bounds = points.flatMap { point in [-1.0, 1].map { 100 * (point.average + $0 * (point.spread ?? 0)) } }
    let y = Axis(over: bounds, from: bottom, to: top)
    for tick in y.ticks() {
      figure.add(.line([.init(left, y.place(tick)), .init(right, y.place(tick))]), .grid)
      figure.text(NumberText.fixed(tick, 0), at: .init(left - 6, y.place(tick) + 4), .muted, size: 11, .end)
    }
    for shots in Set(points.map(\.shots)).sorted() {
      figure.add(.line([.init(x.place(shots), top), .init(x.place(shots), bottom)]), .grid)
      figure.text(
        NumberText.fixed(shots, shots.rounded() == shots ? 0 : 1), at: .init(x.place(shots), bottom + 18), .muted,
        size: 11, .middle)
    }
    figure.text("training pictures a class", at: .init((left + right) / 2, bottom + 38), .muted, size: 12, .middle)
    figure.text("average top-1, %", at: .init(16, (top + bottom) / 2), .muted, size: 12, .middle, turned: true)
    // Bands below, lines above them.
    for (number, curve) in curves.enumerated() where curve.points.count > 1 {
      let edges = [1.0, -1].map { sign in
        curve.points.map {
          Drawing.Point(x.place($0.shots), y.place(100 * ($0.average + sign * ($0.spread ?? 0))))
        }
      }
      figure.add(.area(edges[0] + edges[1].reversed()), .series(number), opacity: 0.16)
    }
    var ends: [(y: Double, number: Int)] = []
    for (number, curve) in curves.enumerated() {
      let places = curve.points.map { Drawing.Point(x.place($0.shots), y.place(100 * $0.average)) }
      if places.count > 1 { figure.add(.line(places), .series(number), width: 1.8) }
      for (place, point) in zip(places, curve.points) {
        figure.add(
          Drawing.mark(of: number, at: place, radius: 3.5), .series(number),
          tip: "\(curve.label), \(NumberText.fixed(point.shots, 1)) a class: "
            + "\(NumberText.percent(point.average, spread: point.spread)) % (\(point.run))")
      }
      if let last = places.last { ends.append((last.y, number)) }
    }
    var lowest = -Double.infinity
    for end in ends.sorted(by: { ($0.y, $0.number) < ($1.y, $1.number) }) {
      let place = max(end.y + 4, lowest + 13)
      lowest = place
      figure.text(curves[end.number].label, at: .init(right + 10, place), .series(end.number), size: 11)
    }
    return figure
  }

  private var summary: String {
    curves.map { curve in
      "\(curve.label): "
        + curve.points.map { "\(NumberText.percent($0.average)) % with \(NumberText.fixed($0.shots, 1)) a class" }
        .joined(separator: ", ") + "."
    }.joined(separator: " ")
  }
}
