/// Embeddings of tasks as text: what each task asks, how far apart tasks are, and the tree that follows.
public struct EmbeddingTable: Sendable {
  /// What is said of one task.
  public struct Row: Sendable {
    /// Its name.
    public var task: String
    /// How many pictures it has to learn from.
    public var samples: Int
    /// The length of its embedding.
    public var norm: Double
    /// How far it is from the trivial task, 0 to 1.
    public var complexity: Double

    /// Describes a task.
    public init(task: String, samples: Int, norm: Double, complexity: Double) {
      (self.task, self.samples, self.norm, self.complexity) = (task, samples, norm, complexity)
    }
  }

  /// The network that was asked; `nil` where that goes without saying.
  public var probe: String?
  /// What is said of the tasks.
  public var rows: [Row]
  /// How far apart every two tasks are, 0 to 1, in the order of the rows.
  public var distances: [[Double]]
  /// The tree that is built from them; `nil` for one task.
  public var tree: RecordedTree?

  /// Creates a table.
  public init(rows: [Row], distances: [[Double]], tree: RecordedTree?, probe: String? = nil) {
    (self.rows, self.distances, self.tree, self.probe) = (rows, distances, tree, probe)
  }

  /// The distances as a heat map in the order of the tree, as a file of its own; `nil` for one task.
  ///
  /// - Throws: A `BanyanError` where the tree is damaged.
  public func svg(name: String) throws -> String? {
    try AffinityFigure(self).map { try $0.drawing(name: name).svg(isAlone: true) }
  }

  /// The place of the task nearest to one; `nil` where it is alone.
  func nearest(to place: Int) -> Int? {
    rows.indices.filter { $0 != place }.min { distances[place][$0] < distances[place][$1] }
  }

  /// The rows as HTML.
  var html: [String] {
    let headings = ["Task", "Pictures", "Norm", "From the trivial task", "Nearest", "at"]
    let cells = rows.indices.map { place in
      let row = rows[place]
      let near = nearest(to: place)
      return "<tr><th scope=\"row\">\(MarkupText.escaped(TextWidth.printable(row.task)))</th>"
        + "<td>\(NumberText.grouped(row.samples))</td>"
        + "<td>\(NumberText.significant(row.norm))</td><td>\(NumberText.fixed(row.complexity, 3))</td>"
        + "<td>\(near.map { MarkupText.escaped(TextWidth.printable(rows[$0].task)) } ?? "–")</td>"
        + "<td>\(near.map { NumberText.fixed(distances[place][$0], 3) } ?? "–")</td></tr>"
    }
    let caption = "What each task asks" + (probe.map { " of \(MarkupText.escaped(TextWidth.printable($0)))" } ?? "")
    let heads = headings.map { "<th scope=\"col\">\($0)</th>" }.joined()
    return [
      "<div class=\"wide\"><table>", "<caption>\(caption); the norm grows with what there is to learn.</caption>",
      "<thead><tr>\(heads)</tr></thead>", "<tbody>",
    ] + cells + ["</tbody></table></div>"]
  }

  /// The text in at most `width` columns; columns of distances are numbered as the rows are.
  public func text(width: Int) throws -> String {
    let drawing = try tree.map(TreeDrawing.init)
    let ranks = Dictionary(
      (drawing?.order ?? []).enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let places = rows.indices.sorted {
      (ranks[TextWidth.printable(rows[$0].task)] ?? rows.count, $0)
        < (ranks[TextWidth.printable(rows[$1].task)] ?? rows.count, $1)
    }
    let largest = rows.map(\.norm).max() ?? 0
    // One power of ten for all norms, so that they compare at a glance.
    var exponent = 0
    while largest > 0, largest * Self.power(exponent) < 1, exponent < 300 { exponent += 1 }
    let digits = "\(rows.count)".count
    let heading = exponent == 0 ? "norm" : "norm · 1e-\(exponent)"
    let table = TextTable(
      headings: ["task", "pictures", heading, "from trivial", "nearest", "at"],
      rows: places.enumerated().map { rank, place in
        let row = rows[place]
        let nearest = nearest(to: place)
        return [
          "\(TextWidth.right("\(rank + 1)", digits)) \(row.task)", "\(row.samples)",
          NumberText.fixed(row.norm * Self.power(exponent), 2), NumberText.fixed(row.complexity, 3),
          nearest.map { rows[$0].task } ?? "", nearest.map { NumberText.fixed(distances[place][$0], 3) } ?? "",
        ]
      })
    var parts = [table.lines(width: width).joined(separator: "\n")]
    if rows.count > 1 {
      let matrix = TextTable(
        headings: [""] + places.indices.map { "\($0 + 1)" },
        rows: places.enumerated().map { rank, i in
          ["\(TextWidth.right("\(rank + 1)", digits)) \(rows[i].task)"]
            + places.map { NumberText.fixed(distances[i][$0], 3) }
        })
      parts.append((["distance (0 equal, 1 nothing in common)"] + matrix.lines(width: width)).joined(separator: "\n"))
    }
    if let drawing {
      parts.append("tree (average linkage of 1 − distance)\n" + drawing.text(width: width).trimmedEnd)
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private static func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1.0) { value, _ in value * 10 } }
}

extension String {
  fileprivate var trimmedEnd: String {
    var text = self
    while text.last == "\n" { text.removeLast() }
    return text
  }
}
