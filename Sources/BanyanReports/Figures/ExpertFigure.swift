/// Errors of experts on tasks as numbers over the distances of their embeddings as colours; what is selected in a frame, the
/// best one, where it is another, in a second.
///
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, supplement, figure 3.
struct ExpertFigure {
  private let matrix: ExpertMatrix

  init(_ matrix: ExpertMatrix) { self.matrix = matrix }

  func drawing(name: String) -> Drawing {
    let (rows, columns) = (matrix.tasks.count, matrix.experts.count)
    let cell = max(14, min(44, 720 / Double(max(1, max(rows, columns)))))
    let left = 16 + (matrix.tasks.map { Drawing.width(of: $0) }.max() ?? 0)
    let labels = matrix.experts.map { Drawing.width(of: $0, size: 11) }.max() ?? 0
    let top = 34.0
    let (width, height) = (cell * Double(columns), cell * Double(rows))
    var figure = Drawing(
      name: name, title: "Which expert serves which task", summary: summary, width: left + max(width, 320) + 24,
      height: top + height + labels + 74)
    figure.text("errors in percent over distances; selected by \(matrix.rule)", at: .init(left, 20), .muted)
    let known = matrix.distances.joined().filter(\.isFinite)
    let (low, high) = (known.min() ?? 0, known.max() ?? 1)
    // Near is light, as in the maps of affinities.
    func share(_ value: Double) -> Double { high > low ? 1 - (value - low) / (high - low) : 0.5 }
    for row in 0..<rows {
      let y = top + cell * Double(row)
      figure.text(matrix.tasks[row], at: .init(left - 8, y + cell / 2 + 4), .text, size: min(12, cell), .end)
      for column in 0..<columns {
        let corner = Drawing.Point(left + cell * Double(column), y)
        let heat = share(matrix.distances[row][column])
        let error = matrix.errors[row][column]
        let words = error.map { ", error \(NumberText.percent($0)) %" } ?? ""
        let isAllowed = matrix.isAllowed[row][column]
        figure.add(
          .box(corner, width: cell, height: cell), isAllowed ? .heat(heat) : .grid,
          tip: "\(matrix.experts[column]) on \(matrix.tasks[row]): distance "
            + NumberText.fixed(matrix.distances[row][column], 3) + words + (isAllowed ? "" : "; learned from it"))
        if let error, cell >= 22 {
          figure.add(
            .text(
              NumberText.fixed(100 * error, 0), .init(corner.x + cell / 2, y + cell / 2 + 4), size: min(11, cell / 2.4),
              .middle, turned: false), isAllowed ? .onHeat(heat) : .muted)
        }
      }
    }
    for (column, expert) in matrix.experts.enumerated() {
      figure.text(
        expert, at: .init(left + cell * (Double(column) + 0.5) + 4, top + height + 8), .text, size: min(11, cell), .end,
        turned: true)
    }
    for row in 0..<rows {
      if let best = matrix.best(row), best != matrix.selected[row] {
        frame(
          &figure, row, best, corner: .init(left, top), cell, .series(0),
          tip: "the best expert for \(matrix.tasks[row])")
      }
      if let selected = matrix.selected[row] {
        frame(
          &figure, row, selected, corner: .init(left, top), cell, .series(1), tip: "selected for \(matrix.tasks[row])")
      }
    }
    let y = figure.height - 22
    var x = left
    let marks: [(ink: Drawing.Ink, text: String)] =
      summaryOfErrors == nil
      ? [(.series(1), "selected")] : [(.series(1), "selected"), (.series(0), "best, where another was selected")]
    for (ink, text) in marks {
      frame(&figure, corner: .init(x, y - 10), size: 12, ink, tip: nil)
      figure.text(text, at: .init(x + 18, y), .text)
      x += 34 + Drawing.width(of: text)
    }
    return figure
  }

  private func frame(
    _ figure: inout Drawing, _ row: Int, _ column: Int, corner: Drawing.Point, _ cell: Double, _ ink: Drawing.Ink,
    tip: String
  ) {
    frame(
      &figure, corner: .init(corner.x + cell * Double(column) + 1.5, corner.y + cell * Double(row) + 1.5),
      size: cell - 3,
      ink, tip: tip)
  }

  private func frame(_ figure: inout Drawing, corner: Drawing.Point, size: Double, _ ink: Drawing.Ink, tip: String?) {
    let corners = [(0.0, 0.0), (size, 0), (size, size), (0, size), (0, 0)]
    figure.add(.line(corners.map { .init(corner.x + $0.0, corner.y + $0.1) }), ink, width: 3, tip: tip)
  }

  private var summaryOfErrors: ExpertMatrix.Summary? { matrix.summary }

  private var summary: String {
    let picks = matrix.tasks.indices.prefix(50).map { row in
      "\(matrix.tasks[row]): \(matrix.selected[row].map { matrix.experts[$0] } ?? "none")"
    }
    let words = summaryOfErrors.map {
      "Mean error of the selected \(NumberText.percent($0.selected)) percent, of the best \(NumberText.percent($0.best)). "
    }
    return (words ?? "") + "Selected for " + picks.joined(separator: "; ") + "."
  }
}
