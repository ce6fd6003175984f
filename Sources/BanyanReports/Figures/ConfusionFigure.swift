/// What was taken for what on one task, over all seeds of a run: rows are true classes, columns predictions.
struct ConfusionFigure {
  /// A pair of classes that are confused.
  struct Pair: Sendable, Equatable {
    var label: Int
    var predicted: Int
    /// The share of the class's test images that were taken for the other.
    var share: Double
    var count: Int
  }

  /// A mistake with the seed that made it.
  struct Example: Sendable, Equatable {
    var seed: UInt64
    var mistake: Mistake
    var image: RecordedSample
  }

  let task: String
  let classNames: [String]
  private let counts: [[Int]]
  private let title: String
  private let examples: [Example]

  /// The most classes that a matrix is drawn for.
  private static let mostClasses = 60

  /// The figure of a task; `nil` where the record does not name its classes, or nothing was confused.
  init?(_ run: NamedRecord, task: String) {
    let results = run.record.runs.compactMap { seed in seed.tasks[task].map { (seed, $0) } }
    guard let names = results.first?.1.classNames, !names.isEmpty,
      results.allSatisfy({ $0.1.classNames == names && $0.1.confusion.count == names.count }),
      results.allSatisfy({ $0.1.confusion.allSatisfy { $0.count == names.count } })
    else { return nil }
    var sum = [[Int]](repeating: [Int](repeating: 0, count: names.count), count: names.count)
    var examples: [Example] = []
    for (seed, result) in results {
      for (row, values) in result.confusion.enumerated() {
        for (column, value) in values.enumerated() { sum[row][column] += value }
      }
      let images = seed.split.first { $0.task == task }?.test ?? []
      for mistake in result.mistakes ?? []
      where images.indices.contains(mistake.image) && names.indices.contains(mistake.label)
        && names.indices.contains(mistake.predicted)
      {
        examples.append(Example(seed: seed.seed, mistake: mistake, image: images[mistake.image]))
      }
    }
    (self.task, classNames, counts, self.examples) = (task, names, sum, examples)
    title = "\(task): \(run.record.methodTitle) (\(run.name))"
    guard !worst(1).isEmpty else { return nil }
  }

  /// The pairs of classes that are confused most often, as a share of the class.
  func worst(_ count: Int) -> [Pair] {
    var pairs: [Pair] = []
    for (row, values) in counts.enumerated() {
      let total = values.reduce(0, +)
      for (column, value) in values.enumerated() where column != row && value > 0 {
        pairs.append(Pair(label: row, predicted: column, share: Double(value) / Double(total), count: value))
      }
    }
    return Array(
      pairs.sorted { ($0.share, $0.count, $1.label, $1.predicted) > ($1.share, $1.count, $0.label, $0.predicted) }
        .prefix(count))
  }

  /// The surest mistake of a pair, where the record keeps one.
  func example(of pair: Pair) -> Example? {
    examples.filter { $0.mistake.label == pair.label && $0.mistake.predicted == pair.predicted }
      .max { ($0.mistake.confidence, $1.seed) < ($1.mistake.confidence, $0.seed) }
  }

  func drawing(name: String) -> Drawing? {
    let count = classNames.count
    guard count <= Self.mostClasses else { return nil }
    let cell = max(7, min(26, 420 / Double(count)))
    let size = cell * Double(count)
    let letters = min(11, cell + 2)
    let labels = classNames.map { Drawing.width(of: $0, size: letters) }.max() ?? 0
    let (left, top) = (labels + 34, 14.0)
    var figure = Drawing(
      name: name, title: title, summary: summary, width: left + size + 20, height: top + size + labels + 42)
    figure.text("true class", at: .init(14, top + size / 2), .muted, size: 12, .middle, turned: true)
    figure.text("taken for", at: .init(left + size / 2, figure.height - 8), .muted, size: 12, .middle)
    for (row, values) in counts.enumerated() {
      let total = Double(max(1, values.reduce(0, +)))
      let y = top + cell * Double(row)
      figure.text(classNames[row], at: .init(left - 6, y + cell / 2 + letters / 3), .text, size: letters, .end)
      figure.text(
        classNames[row], at: .init(left + cell * (Double(row) + 0.5) + letters / 3, top + size + 6), .text,
        size: letters,
        .end, turned: true)
      figure.add(.box(.init(left, y), width: size, height: cell), .heat(0))
      for (column, value) in values.enumerated() where value > 0 {
        let share = Double(value) / total
        figure.add(
          .box(.init(left + cell * Double(column), y), width: cell, height: cell), .heat(share),
          tip: "\(classNames[row]) taken for \(classNames[column]): \(value) of \(Int(total)), "
            + "\(NumberText.percent(share)) %")
      }
    }
    return figure
  }

  private var summary: String {
    "Most often confused: "
      + worst(5).map {
        "\(classNames[$0.label]) taken for \(classNames[$0.predicted]), \(NumberText.percent($0.share)) %"
      }
      .joined(separator: "; ") + "."
  }
}
