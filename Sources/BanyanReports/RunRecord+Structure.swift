extension RunRecord {
  /// The trees and groups of the run's seeds, each different one once, and the mean affinities below, as text.
  ///
  /// - Returns: The drawing in at most `width` columns; `nil` where the method uses no tree and measures no affinity.
  /// - Throws: A `BanyanError` of kind `malformed` where a tree or a matrix in the record is damaged.
  public func structureText(width: Int) throws -> String? {
    var drawn: [(tree: RecordedTree, seeds: [UInt64])] = []
    for run in runs {
      guard let tree = run.tree else { continue }
      if let place = drawn.firstIndex(where: { $0.tree == tree }) {
        drawn[place].seeds.append(run.seed)
      } else {
        drawn.append((tree, [run.seed]))
      }
    }
    var parts: [String] = []
    var order: [String] = []
    for (tree, seeds) in drawn {
      let drawing = try TreeDrawing(tree)
      if order.isEmpty { order = drawing.order }
      let list = seeds.map { "\($0)" }.joined(separator: ", ")
      parts.append("tree of \(seeds.count == 1 ? "seed" : "seeds") \(list)\n" + drawing.text(width: width))
    }
    var grouped: [(groups: [[String]], gap: Double?, seeds: [UInt64])] = []
    for run in runs {
      guard let groups = run.groups else { continue }
      if let place = grouped.firstIndex(where: { $0.groups == groups }) {
        grouped[place].seeds.append(run.seed)
      } else {
        grouped.append((groups, run.groupsGap, [run.seed]))
      }
    }
    for (groups, gap, seeds) in grouped {
      if order.isEmpty { order = groups.flatMap(\.self) }
      let list = seeds.map { "\($0)" }.joined(separator: ", ")
      let lines = groups.map { "  " + $0.joined(separator: ", ") }
      // As the first seed's matrix has it.
      let doubt =
        gap.map { ", not proven the best: others could gain at most \(NumberText.affinity($0, largest: $0))" } ?? ""
      parts.append(
        "groups of \(seeds.count == 1 ? "seed" : "seeds") \(list)\(doubt)\n" + lines.joined(separator: "\n") + "\n")
    }
    let matrices = runs.compactMap(\.affinity)
    if !matrices.isEmpty { parts.append(try AffinityDrawing(matrices, order: order).text(width: width)) }
    return parts.isEmpty ? nil : parts.joined(separator: "\n")
  }
}
