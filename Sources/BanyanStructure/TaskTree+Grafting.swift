import BanyanFoundation

extension TaskTree {
  /// Where a task that came later belongs, by affinities that were measured with it.
  ///
  /// Average linkage would have joined it with the cluster `S` that it is nearest to before that cluster met another: from the
  /// nearest leaf upward, while the parts of the cluster's parent are nearer to each other than the task is to the
  /// cluster. The task hangs below `S`, or below its parent where `S` is a leaf; no node comes between others, so that the
  /// paths of all other tasks stay what they are. How near the parts of a node are is taken from the same matrix: affinities that were
  /// measured among fewer tasks may lie on another scale.
  ///
  /// - Parameter affinity: Of the tree's tasks, in its order, and of the new one behind them.
  /// - Returns: The node to hang it below, `nil` where it stands alone beside the roots, and its mean affinity to the tasks of
  ///   every node.
  /// - Throws: A `BanyanError` of kind `usage` where the matrix is of other tasks, or where tasks end together at one node.
  public func place(_ affinity: AffinityMatrix) throws -> (parent: Int?, nodes: [Double]) {
    guard affinity.names.dropLast().elementsEqual(names) else {
      throw BanyanError(
        .usage, at: "affinity", "expected the \(taskCount) tasks of the tree and one more, found \(affinity.names)")
    }
    try requireOwnLeaves()
    let new = taskCount
    let means = nodes.map { node in node.tasks.reduce(0) { $0 + affinity[new, $1] } / Double(node.tasks.count) }
    let leaves = nodes.indices.filter { nodes[$0].children.isEmpty }
    guard var cluster = leaves.max(by: { (means[$0], $1) < (means[$1], $0) }) else { return (nil, means) }
    while let parent = nodes[cluster].parent, cohesion(of: parent, affinity) > means[cluster] { cluster = parent }
    return (nodes[cluster].children.isEmpty ? nodes[cluster].parent : cluster, means)
  }

  /// Makes sure that every task has a leaf of its own, beside which another can hang.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where tasks end together at one node.
  public func requireOwnLeaves() throws {
    if let shared = nodes.first(where: { $0.children.isEmpty && $0.isShared }) {
      throw BanyanError(
        .usage, at: "task tree",
        "node \(shared.index) is the whole of several tasks; a new one would have nothing of its own",
        remedy: "Graft onto a run whose tree has a leaf for every task.")
    }
  }

  /// The mean affinity of two tasks below different children of a node.
  private func cohesion(of node: Int, _ affinity: AffinityMatrix) -> Double {
    let parts = nodes[node].children.map { nodes[$0].tasks }
    var (sum, count) = (0.0, 0.0)
    for (index, part) in parts.enumerated() {
      for other in parts[..<index] {
        for i in part { for j in other { sum += affinity[i, j] } }
        count += Double(part.count * other.count)
      }
    }
    return count > 0 ? sum / count : -.infinity
  }

  /// The tree with another task as a leaf below `parent`, or beside the roots.
  ///
  /// - Returns: The tree, in which the task is the last, and where each node of this tree is in it.
  /// - Throws: A `BanyanError` of kind `usage` where the name is there already or the node has no children.
  public func grafting(_ name: String, below parent: Int?) throws -> (tree: TaskTree, places: [Int]) {
    guard !names.contains(name) else {
      throw BanyanError(.usage, at: "task \(name)", "the tree has a task of this name already", remedy: "Rename it.")
    }
    if let parent, !nodes.indices.contains(parent) || nodes[parent].children.isEmpty {
      throw BanyanError(.usage, at: "node \(parent)", "expected an inner node of the tree")
    }
    var draft = TaskTreeDraft()
    let leaf = draft.addLeaf(tasks: [taskCount])
    var own: [Int] = []
    for node in nodes {
      guard !node.children.isEmpty else {
        own.append(draft.addLeaf(tasks: node.tasks))
        continue
      }
      let children = node.children.map { own[$0] } + (node.index == parent ? [leaf] : [])
      own.append(draft.join(children, affinity: node.mergeAffinity))
    }
    let tree = draft.finish(names: names + [name])
    // Nodes keep their tasks, but that those above the leaf have one more.
    var above: Set<Int> = []
    var next = parent
    while let node = next {
      above.insert(node)
      next = nodes[node].parent
    }
    var free = Set(tree.nodes.indices)
    let places = try nodes.map { node in
      let tasks = node.tasks + (above.contains(node.index) ? [taskCount] : [])
      let found = tree.nodes.first {
        free.contains($0.index) && $0.tasks == tasks && $0.children.isEmpty == node.children.isEmpty
      }
      guard let found else { throw BanyanError(.failed, at: "node \(node.index)", "was lost in the graft") }
      free.remove(found.index)
      return found.index
    }
    return (tree, places)
  }
}
