import BanyanFoundation

/// How tasks relate: a heat map of their affinities in the order of the tree, the tree beside it, groups in a frame.
///
/// Paper: Liu et al., *Hierarchical Prompt Learning for Multi-Task Learning*, CVPR 2023, figure A1.
struct AffinityFigure {
  private let affinity: AffinityDrawing
  private let tree: RecordedTree?
  private let groups: [[String]]
  /// Whose tree or groups these are, where there are several seeds.
  private var structure: String?
  private var title: String

  /// The figure of a run; `nil` where it measured no affinities.
  init?(_ run: NamedRecord) throws {
    let matrices = run.record.runs.compactMap(\.affinity)
    guard !matrices.isEmpty else { return nil }
    tree = run.record.runs.compactMap(\.tree).first
    groups = run.record.runs.compactMap(\.groups).first ?? []
    let order = try tree.map { try TreeDrawing($0).order } ?? groups.flatMap { $0 }
    affinity = try AffinityDrawing(matrices, order: order)
    title = "\(run.record.methodTitle) (\(run.name))"
    if run.record.runs.count > 1, let first = run.record.runs.first(where: { $0.tree != nil || $0.groups != nil }) {
      structure = "\(first.tree != nil ? "tree" : "groups") of seed \(first.seed)"
    }
  }

  /// The figure of embeddings, `nil` for one task; likeness is one less the distance.
  init?(_ embeddings: EmbeddingTable) throws {
    guard embeddings.rows.count > 1 else { return nil }
    (tree, groups) = (embeddings.tree, [])
    affinity = try AffinityDrawing(
      [
        RecordedAffinity(
          names: embeddings.rows.map(\.task), values: embeddings.distances.map { $0.map { 1 - $0 } },
          kind: "1 − distance of embeddings")
      ], order: try tree.map { try TreeDrawing($0).order } ?? [])
    title = "by what they ask" + (embeddings.probe.map { " of \(TextWidth.printable($0))" } ?? "")
  }

  /// The figures of `runs`, one for those that show the same.
  static func distinct(_ runs: [NamedRecord]) throws -> [AffinityFigure] {
    var figures: [AffinityFigure] = []
    for figure in try runs.compactMap(AffinityFigure.init) {
      let same = figures.firstIndex {
        $0.affinity == figure.affinity && $0.tree?.nodes == figure.tree?.nodes && $0.groups == figure.groups
      }
      if let same { figures[same].title += ", \(figure.title)" } else { figures.append(figure) }
    }
    return figures
  }

  func drawing(name: String) throws -> Drawing {
    let names = affinity.names
    let count = names.count
    let cell = max(10, min(44, 560 / Double(max(1, count))))
    let size = cell * Double(count)
    let left = 16 + (names.map { Drawing.width(of: $0) }.max() ?? 0)
    let top = 34.0
    let treeWidth = tree == nil ? 0.0 : 170
    let labels = names.map { Drawing.width(of: $0, size: 11) }.max() ?? 0
    var figure = Drawing(
      name: name, title: "Affinity of tasks: \(title)", summary: summary, width: left + size + treeWidth + 24,
      height: top + size + labels + 60)
    figure.text(
      "\(affinity.kind)\(affinity.seeds > 1 ? ", mean of \(affinity.seeds) seeds" : "")"
        + (structure.map { "; \($0)" } ?? ""), at: .init(left, 20), .muted)

    let others = names.indices.flatMap { i in names.indices.filter { $0 != i }.map { affinity.values[i][$0] } }
    let (low, high) = (others.min() ?? 0, others.max() ?? 1)
    let largest = affinity.values.joined().reduce(0) { max($0, abs($1)) }
    func share(_ value: Double) -> Double { high > low ? (value - low) / (high - low) : 0.5 }
    for (row, name) in names.enumerated() {
      let y = top + cell * Double(row)
      figure.text(name, at: .init(left - 8, y + cell / 2 + 4), .text, size: min(12, cell), .end)
      figure.text(
        name, at: .init(left + cell * (Double(row) + 0.5) + 4, top + size + 8), .text, size: min(11, cell),
        .end, turned: true)
      for (column, value) in affinity.values[row].enumerated() {
        let corner = Drawing.Point(left + cell * Double(column), y)
        let text = NumberText.affinity(value, largest: largest)
        figure.add(
          .box(corner, width: cell, height: cell), row == column ? .grid : .heat(share(value)),
          tip: row == column ? "\(name) with itself: \(text)" : "\(name) and \(names[column]): \(text)")
        if cell >= 30, row != column {
          figure.add(
            .text(text, .init(corner.x + cell / 2, y + cell / 2 + 4), size: 10, .middle, turned: false),
            .onHeat(share(value)))
        }
      }
    }
    frame(groups, &figure, corner: .init(left, top), cell: cell)
    if let tree { try draw(tree, &figure, left: left + size + 8, top: top, width: treeWidth - 20, cell: cell) }
    legend(&figure, low: low, high: high, largest: largest, at: .init(left, figure.height - 26), width: min(size, 220))
    return figure
  }

  private var summary: String {
    var pairs: [(Double, String)] = []
    for i in affinity.names.indices {
      for j in affinity.names.indices where j > i {
        pairs.append((affinity.values[i][j], "\(affinity.names[i]) and \(affinity.names[j])"))
      }
    }
    let sorted = pairs.sorted { $0.0 > $1.0 }
    guard let best = sorted.first, let worst = sorted.last else { return "One task alone." }
    return "\(affinity.names.count) tasks; nearest are \(best.1), farthest \(worst.1)."
      + (groups.isEmpty ? "" : " Groups: " + groups.map { $0.joined(separator: ", ") }.joined(separator: "; ") + ".")
  }

  /// Tasks of a group stand beside each other, unless a tree has ordered them.
  private func frame(_ groups: [[String]], _ figure: inout Drawing, corner: Drawing.Point, cell: Double) {
    for group in groups {
      let places = group.compactMap { affinity.names.firstIndex(of: $0) }.sorted()
      guard let first = places.first, let last = places.last, last - first == places.count - 1 else { continue }
      let (a, b) = (cell * Double(first), cell * Double(last + 1))
      let corners = [(a, a), (b, a), (b, b), (a, b), (a, a)].map { Drawing.Point(corner.x + $0.0, corner.y + $0.1) }
      figure.add(.line(corners), .text, width: 2.5, tip: group.joined(separator: ", "))
    }
  }

  private func draw(
    _ tree: RecordedTree, _ figure: inout Drawing, left: Double, top: Double, width: Double, cell: Double
  ) throws {
    let heights = TreeLayout.heights(tree.nodes)
    var centre = [Double](repeating: 0, count: tree.nodes.count)
    for (index, node) in tree.nodes.enumerated() {
      let x = left + heights[index] * width
      if node.children.isEmpty {
        let rows = (node.shared ?? [node.name ?? ""]).compactMap {
          affinity.names.firstIndex(of: TextWidth.printable($0))
        }
        let places = rows.map { top + cell * (Double($0) + 0.5) }
        centre[index] = Statistics.mean(places)
        if let first = places.min(), let last = places.max(), places.count > 1 {
          figure.add(.line([.init(x, first), .init(x, last)]), .text, width: 3, tip: "share one leaf")
        }
        continue
      }
      let own = node.children.map { centre[$0] }
      centre[index] = Statistics.mean(own)
      let tip = node.mergeAffinity.map { "joined at \(NumberText.affinity($0, largest: 1))" }
      for child in node.children {
        figure.add(
          .line([.init(left + heights[child] * width, centre[child]), .init(x, centre[child])]), .text, width: 1.5)
      }
      if let first = own.min(), let last = own.max() {
        figure.add(.line([.init(x, first), .init(x, last)]), .text, width: 1.5, tip: tip)
        figure.add(.disc(.init(x, centre[index]), radius: 3), .series(0), tip: tip)
      }
    }
  }

  private func legend(
    _ figure: inout Drawing, low: Double, high: Double, largest: Double, at corner: Drawing.Point, width: Double
  ) {
    let steps = 40
    for step in 0..<steps {
      let share = (Double(step) + 0.5) / Double(steps)
      figure.add(
        .box(
          .init(corner.x + width * Double(step) / Double(steps), corner.y), width: width / Double(steps) + 0.3,
          height: 8),
        .heat(share))
    }
    figure.text(NumberText.affinity(low, largest: largest), at: .init(corner.x, corner.y + 20), .muted, size: 10)
    figure.text(
      NumberText.affinity(high, largest: largest), at: .init(corner.x + width, corner.y + 20), .muted, size: 10, .end)
  }
}
