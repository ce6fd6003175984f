/// A tree under construction: nodes in any order, numbered at the end by one rule for all constructors.
struct TaskTreeDraft {
  struct Node {
    /// The tasks that end at this node; empty where it has children.
    var tasks: [Int]
    var children: [Int]
    var affinity: Double?
  }

  var nodes: [Node] = []

  mutating func addLeaf(tasks: [Int]) -> Int {
    nodes.append(Node(tasks: tasks, children: [], affinity: nil))
    return nodes.count - 1
  }

  mutating func join(_ children: [Int], affinity: Double?) -> Int {
    nodes.append(Node(tasks: [], children: children, affinity: affinity))
    return nodes.count - 1
  }

  /// The finished tree: childless nodes by their first task, then inner nodes by falling affinity, as clustering meets
  /// them; where two are equal the one with the lower children comes first.
  ///
  /// Children must stand before their parents in `nodes`, and every task must end at one node.
  func finish(names: [String]) -> TaskTree {
    var number = [Int?](repeating: nil, count: nodes.count)
    let bottom = nodes.indices.filter { nodes[$0].children.isEmpty }
      .sorted { (nodes[$0].tasks.min() ?? 0) < (nodes[$1].tasks.min() ?? 0) }
    for (index, draft) in bottom.enumerated() { number[draft] = index }
    var sequence = bottom
    var waiting = nodes.indices.filter { !nodes[$0].children.isEmpty }
    let known = waiting.allSatisfy { nodes[$0].affinity != nil }
    let scale = waiting.reduce(0) { max($0, abs(nodes[$1].affinity ?? 0)) }
    while !waiting.isEmpty {
      let ready = waiting.compactMap { draft -> (draft: Int, children: [Int], affinity: Double)? in
        let children = nodes[draft].children.compactMap { number[$0] }.sorted()
        guard children.count == nodes[draft].children.count else { return nil }
        return (draft, children, known ? nodes[draft].affinity ?? 0 : 0)
      }
      let best = ready.reduce(-Double.infinity) { max($0, $1.affinity) }
      let tied = ready.filter { $0.affinity >= best - Clustering.tieTolerance * scale }
      guard let next = tied.min(by: { $0.children.lexicographicallyPrecedes($1.children) }) else { break }
      number[next.draft] = sequence.count
      sequence.append(next.draft)
      waiting.removeAll { $0 == next.draft }
    }
    return numbered(sequence, by: number, names: names)
  }

  private func numbered(_ sequence: [Int], by number: [Int?], names: [String]) -> TaskTree {
    var parents = [Int?](repeating: nil, count: sequence.count)
    var tasks: [[Int]] = []
    for (index, draft) in sequence.enumerated() {
      let children = nodes[draft].children.compactMap { number[$0] }
      for child in children { parents[child] = index }
      tasks.append((nodes[draft].tasks + children.flatMap { tasks[$0] }).sorted())
    }
    let finished = sequence.enumerated().map { index, draft in
      TaskTree.Node(
        index: index, name: tasks[index].count == 1 ? names[tasks[index][0]] : nil,
        children: nodes[draft].children.compactMap { number[$0] }.sorted(), parent: parents[index],
        mergeAffinity: nodes[draft].affinity, tasks: tasks[index])
    }
    return TaskTree(unchecked: names, nodes: finished)
  }
}
