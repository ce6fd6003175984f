import Foundation

/// Training loss and test error over the plane of three classifiers, side by side, with those that were learned.
///
/// Paper: Liu et al., *Hierarchical Prompt Learning for Multi-Task Learning*, CVPR 2023, supplement 1.
struct LandscapeFigure {
  private let record: LandscapeRecord
  private static let bands = 12

  /// The figure of a landscape; where the page has `count` of them, each shows fewer points of its grid.
  init(_ record: LandscapeRecord, of count: Int = 1) {
    let step = Int((Double(record.x.count * record.y.count * count) / 50_000).squareRoot().rounded(.up))
    self.record = step < 2 ? record : Self.every(step, of: record)
  }

  private static func every(_ step: Int, of record: LandscapeRecord) -> LandscapeRecord {
    // Both ends stay, so that the frame does.
    func some(_ count: Int) -> [Int] {
      let inner = Array(stride(from: 0, to: count - 1, by: step))
      return inner + [count - 1]
    }
    let (columns, rows) = (some(record.x.count), some(record.y.count))
    func grid(_ values: [[Double]]) -> [[Double]] { rows.map { row in columns.map { values[row][$0] } } }
    var coarse = record
    (coarse.x, coarse.y) = (columns.map { record.x[$0] }, rows.map { record.y[$0] })
    (coarse.trainLoss, coarse.testError) = (grid(record.trainLoss), grid(record.testError))
    return coarse
  }

  func drawing(name: String) -> Drawing {
    var figure = Drawing(
      name: name, title: "\(record.task), seed \(record.seed): \(record.runs.joined(separator: ", "))",
      summary: summary,
      width: 720, height: 400)
    surface(&figure, record.trainLoss, "training loss", left: 46) { NumberText.fixed($0, 2) }
    surface(&figure, record.testError, "test error, %", left: 396) { NumberText.fixed(100 * $0, 1) }
    return figure
  }

  private func surface(
    _ figure: inout Drawing, _ values: [[Double]], _ title: String, left: Double, number: (Double) -> String
  ) {
    let (top, side) = (34.0, 300.0)
    // The same scale both ways: angles and distances are those of the classifiers.
    let (x, y) = (record.x, record.y)
    let widest = max(x[x.count - 1] - x[0], y[y.count - 1] - y[0])
    let scale = side / max(widest, 1e-12)
    func place(_ at: (x: Double, y: Double)) -> Drawing.Point {
      .init(left + (at.x - x[0]) * scale, top + side - (at.y - y[0]) * scale)
    }
    let (low, high) = range(values)
    func band(_ value: Double) -> Int {
      guard value.isFinite, high > low else { return 0 }
      return min(Self.bands - 1, max(0, Int((value - low) / (high - low) * Double(Self.bands))))
    }
    func heat(_ band: Int) -> Double { (Double(band) + 0.5) / Double(Self.bands) }
    figure.text(title, at: .init(left + side / 2, 20), .text, size: 13, .middle)
    // Neighbours of one band are one box.
    let (right, upper) = (edges(x), edges(y))
    for row in y.indices {
      var start = 0
      while start < x.count {
        var end = start
        while end + 1 < x.count, band(values[row][end + 1]) == band(values[row][start]) { end += 1 }
        let corner = place((right[start], upper[row + 1]))
        // A little over the row below, or paper shines through between them.
        let overlap = row > 0 ? 0.6 : 0
        figure.add(
          .box(
            corner, width: (right[end + 1] - right[start]) * scale,
            height: (upper[row + 1] - upper[row]) * scale + overlap), .heat(heat(band(values[row][start]))))
        start = end + 1
      }
    }
    let contours = ContourLines(values, x: x, y: y)
    for step in 1..<Self.bands where high > low {
      let level = low + (high - low) * Double(step) / Double(Self.bands)
      for line in contours.lines(at: level) {
        figure.add(
          .line(line.map { place(($0.x, $0.y)) }), .onHeat(heat(step)), width: 0.6, opacity: 0.6, tip: number(level))
      }
    }
    for (index, item) in record.places.enumerated().reversed() {
      let at = place((item.x, item.y))
      let isNamed = index < 4
      let ink = Drawing.Ink.onHeat(heat(band(nearest(item, values))))
      figure.add(
        .disc(at, radius: isNamed ? 5 : 3), ink, opacity: isNamed ? 1 : 0.7,
        tip:
          "\(item.name): loss \(NumberText.fixed(item.trainLoss, 3)), error \(NumberText.percent(item.testError)) %, "
          + "\(NumberText.fixed(item.distance, 2)) from the plane")
      if isNamed {
        let isRight = at.x > left + side * 0.7
        figure.text(item.name, at: .init(at.x + (isRight ? -9 : 9), at.y + 4), ink, size: 12, isRight ? .end : .start)
      }
    }
    // What the colours mean.
    for step in 0..<Self.bands {
      let width = side / Double(Self.bands)
      figure.add(
        .box(.init(left + width * Double(step), top + side + 16), width: width, height: 10), .heat(heat(step)))
    }
    figure.text(number(low), at: .init(left, top + side + 42), .muted, size: 11)
    figure.text("\(number(high)) and more", at: .init(left + side, top + side + 42), .muted, size: 11, .end)
  }

  /// From the least value to what nine tenths stay below: a loss far away would leave all colours to itself.
  private func range(_ values: [[Double]]) -> (low: Double, high: Double) {
    let sorted = values.joined().filter(\.isFinite).sorted()
    guard let low = sorted.first else { return (0, 0) }
    return (low, sorted[min(sorted.count - 1, sorted.count * 9 / 10)])
  }

  /// Where the cells around grid points end.
  private func edges(_ places: [Double]) -> [Double] {
    [places[0]] + zip(places, places.dropFirst()).map { ($0 + $1) / 2 } + [places[places.count - 1]]
  }

  private func nearest(_ item: LandscapeRecord.Place, _ values: [[Double]]) -> Double {
    func index(_ places: [Double], _ value: Double) -> Int {
      places.indices.min { abs(places[$0] - value) < abs(places[$1] - value) } ?? 0
    }
    return values[index(record.y, item.y)][index(record.x, item.x)]
  }

  private var summary: String {
    record.places.prefix(4).map {
      "\($0.name): training loss \(NumberText.fixed($0.trainLoss, 2)), test error \(NumberText.percent($0.testError)) %."
    }.joined(separator: " ")
  }
}
