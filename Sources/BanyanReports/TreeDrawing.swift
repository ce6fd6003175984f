import BanyanFoundation

/// A tree of tasks as text: one line per task, joins to the right, further right where tasks are less alike.
///
///     photo   ───┐
///     real    ───┴──────────────┐  0.91
///     sketch  ──────┐           │  0.10
///     clipart ──────┴───────────┘  0.75
///
/// The number at the end of a line is the affinity at which the task meets the one above it, so every join of a binary
/// tree has its number on a line that its vertical stroke touches.
public struct TreeDrawing: Sendable, Equatable {
  private let nodes: [RecordedTree.Node]
  /// A task per line: its name and the childless node it ends at.
  private let lines: [(name: String, node: Int)]

  /// Takes a tree from a record.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where the nodes do not form a tree.
  public init(_ tree: RecordedTree) throws {
    nodes = tree.nodes
    lines = try Self.order(tree.nodes)
  }

  /// Whether two drawings are of the same tree.
  public static func == (a: TreeDrawing, b: TreeDrawing) -> Bool { a.nodes == b.nodes }

  /// The tasks' names from top to bottom.
  public var order: [String] { lines.map(\.name) }

  /// The tasks depth first, each node's child with the lowest index first.
  private static func order(_ nodes: [RecordedTree.Node]) throws -> [(name: String, node: Int)] {
    guard !nodes.isEmpty else { throw BanyanError(.malformed, at: "recorded tree", "it has no nodes") }
    var parents = [Int?](repeating: nil, count: nodes.count)
    for (index, node) in nodes.enumerated() {
      guard node.shared?.isEmpty != true else {
        throw BanyanError(.malformed, at: "recorded tree: node \(index)", "the list of tasks that share it is empty")
      }
      for child in node.children {
        guard child >= 0, child < index, node.index == index, parents[child] == nil else {
          throw BanyanError(
            .malformed, at: "recorded tree: node \(index)", "its children \(node.children) do not form a tree")
        }
        parents[child] = index
      }
    }
    // The lowest leaf below each node, so that a group stands where its first task does.
    var lowest = Array(nodes.indices)
    for (index, node) in nodes.enumerated() { lowest[index] = node.children.map { lowest[$0] }.min() ?? index }
    var stack = nodes.indices.filter { parents[$0] == nil }.sorted { lowest[$0] > lowest[$1] }
    var lines: [(name: String, node: Int)] = []
    while let index = stack.popLast() {
      let node = nodes[index]
      if node.children.isEmpty {
        lines += (node.shared ?? [node.name ?? "node \(index)"]).map { (TextWidth.printable($0), index) }
      } else {
        stack += node.children.sorted { lowest[$0] > lowest[$1] }
      }
    }
    return lines
  }

  /// The drawing in at most `width` columns where names and depth allow.
  public func text(width: Int) -> String {
    let longest = lines.reduce(0) { max($0, TextWidth.columns($1.name)) }
    let nameWidth = min(longest, max(12, width / 3))
    let known = nodes.contains { $0.mergeAffinity != nil }
    let largest = nodes.reduce(0) { max($0, abs($1.mergeAffinity ?? 0)) }
    let numbers = known ? joinNumbers(largest: largest) : [String](repeating: "", count: lines.count)
    let numberWidth = numbers.reduce(0) { max($0, TextWidth.columns($1)) }
    let canvas = canvas(width: width - nameWidth - 1 - (known ? numberWidth + 2 : 0))
    let drawn = zip(lines, zip(canvas, numbers)).map { line, row in
      let name = TextWidth.left(TextWidth.clippedInside(line.name, nameWidth), nameWidth)
      var text = name + " " + String(row.0)
      if known { text += "  " + TextWidth.right(row.1, numberWidth) }
      while text.last == " " { text.removeLast() }
      return text
    }
    return drawn.joined(separator: "\n") + "\n"
  }

  /// Per line the affinity at which its task meets the one above; blank for the first and where they never meet.
  private func joinNumbers(largest: Double) -> [String] {
    lines.indices.map { line in
      guard line > 0 else { return "" }
      var above: Set<Int> = []
      var node: Int? = lines[line - 1].node
      while let index = node {
        above.insert(index)
        node = parent(index)
      }
      node = lines[line].node
      while let index = node, !above.contains(index) { node = parent(index) }
      return node.flatMap { nodes[$0].mergeAffinity }.map { NumberText.affinity($0, largest: largest) } ?? ""
    }
  }

  private func parent(_ index: Int) -> Int? {
    // Children stand before parents (checked), so a parent that does not is damage and ends the climb.
    nodes[index].parent.flatMap { $0 > index && $0 < nodes.count ? $0 : nil }
  }

  private func canvas(width: Int) -> [[Character]] {
    let layout = TreeLayout(nodes: nodes, lines: lines.map(\.node), width: width)
    return layout.canvas()
  }
}
