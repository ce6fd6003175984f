/// Where the strokes of a ``TreeDrawing`` go: a column per join, a row per task.
struct TreeLayout {
  private let nodes: [RecordedTree.Node]
  private let lines: [Int]
  private let columns: [Int]
  private let width: Int

  /// Lays out `nodes`; `lines` holds the childless node of each row.
  init(nodes: [RecordedTree.Node], lines: [Int], width: Int) {
    self.nodes = nodes
    self.lines = lines
    let heights = Self.heights(nodes)
    // How many joins are still to come to the right of each: room must be left for them.
    var above = [Int](repeating: 0, count: nodes.count)
    var depth = 0
    for (index, node) in nodes.enumerated().reversed() {
      for child in node.children { above[child] = above[index] + 1 }
      depth = max(depth, above[index])
    }
    let right = max(width - 1, depth + 1, 2)
    var columns = [Int](repeating: 0, count: nodes.count)
    for (index, node) in nodes.enumerated() where !node.children.isEmpty {
      let scaled = 1 + Int((heights[index] * Double(right - 1)).rounded())
      let lowest = 1 + (node.children.map { columns[$0] }.max() ?? 0)
      columns[index] = max(lowest, min(scaled, right - above[index]))
    }
    for (index, node) in nodes.enumerated() where node.children.isEmpty && (node.shared?.count ?? 0) > 1 {
      columns[index] = 1
    }
    self.columns = columns
    self.width = max(right + 1, (columns.max() ?? 0) + 1)
  }

  /// Per node a height from 0 (most alike) to 1 (the last join).
  static func heights(_ nodes: [RecordedTree.Node]) -> [Double] {
    let inner = nodes.filter { !$0.children.isEmpty }
    let affinities = inner.compactMap(\.mergeAffinity).filter(\.isFinite)
    if affinities.count == inner.count, let low = affinities.min(), let high = affinities.max() {
      // A cosine's scale starts at 1, where equal tasks would join; another measure's at its own best.
      let start = high <= 1 && high >= -1 && low >= -1 ? 1 : high
      let span = start - low
      return nodes.map { node in
        guard let affinity = node.mergeAffinity, span > 0 else { return node.children.isEmpty ? 0 : 1 }
        let height = (start - affinity) / span
        return height.isFinite ? min(1, max(0, height)) : 1
      }
    }
    var levels = [Int](repeating: 0, count: nodes.count)
    for (index, node) in nodes.enumerated() where !node.children.isEmpty {
      levels[index] = 1 + (node.children.map { levels[$0] }.max() ?? 0)
    }
    let top = Double(max(1, levels.max() ?? 1))
    return levels.map { Double($0) / top }
  }

  func canvas() -> [[Character]] {
    var canvas = [[Character]](repeating: [Character](repeating: " ", count: width), count: lines.count)
    var rows: [Int: [Int]] = [:]
    for (row, node) in lines.enumerated() { rows[node, default: []].append(row) }
    // The row on which each node's stroke leaves to the right: that of its last task.
    var exit = [Int](repeating: 0, count: nodes.count)
    let hasParent = Set(nodes.flatMap(\.children))
    for (index, node) in nodes.enumerated() {
      let column = columns[index]
      if node.children.isEmpty {
        let own = rows[index] ?? []
        exit[index] = own.last ?? 0
        if own.count > 1 {
          let strokes = own.map { (row: $0, from: 0) }
          join(strokes, at: column, continues: hasParent.contains(index), on: &canvas)
        } else if !hasParent.contains(index), let row = own.first {
          canvas[row][0] = "─"
        }
      } else {
        let strokes = node.children.map { (row: exit[$0], from: columns[$0] == 0 ? 0 : columns[$0] + 1) }
          .sorted { $0.row < $1.row }
        exit[index] = strokes.last?.row ?? 0
        join(strokes, at: column, continues: hasParent.contains(index), on: &canvas)
      }
    }
    return canvas
  }

  /// Draws strokes up to `column` and the bar that joins them.
  private func join(
    _ strokes: [(row: Int, from: Int)], at column: Int, continues: Bool, on canvas: inout [[Character]]
  ) {
    guard let top = strokes.first?.row, let bottom = strokes.last?.row else { return }
    for row in top...max(top, bottom) { canvas[row][column] = "│" }
    for stroke in strokes {
      for place in stroke.from..<max(stroke.from, column) { canvas[stroke.row][place] = "─" }
      canvas[stroke.row][column] = "┤"
    }
    canvas[top][column] = "┐"
    canvas[bottom][column] = continues ? "┴" : "┘"
  }
}
