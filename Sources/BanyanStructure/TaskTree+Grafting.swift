import BanyanFoundation

extension TaskTree {
  /// Where a task that came later belongs, by its affinities to the tasks that are there.
  ///
  /// Average linkage would have joined it with the cluster `S` that it is nearest to before that cluster met another: from the
  /// nearest leaf upward, while the cluster and its sibling joined at a higher affinity than the task has to it. The task
  /// hangs below `S`, or below its parent where `S` is a leaf; no node comes between others, so that the paths of all other
  /// tasks stay what they are.
  ///
  /// - Parameter affinities: One for each task of the tree.
  /// - Returns: The node to hang it below, `nil` where it stands alone beside the roots, and its mean affinity to the tasks of
  ///   every node.
  /// - Throws: A `BanyanError` of kind `usage` where there is not one finite number for each task, or where tasks end
  ///   together at one node.
  public func place(_ affinities: [Double]) throws -> (parent: Int?, nodes: [Double]) {
    guard affinities.count == taskCount, affinities.allSatisfy(\.isFinite) else {
      throw BanyanError(.usage, at: "affinity", "expected \(taskCount) finite numbers, found \(affinities.count)")
    }
    if let shared = nodes.first(where: { $0.children.isEmpty && $0.isShared }) {
      throw BanyanError(
        .usage, at: "task tree",
        "node \(shared.index) is the whole of several tasks; a new one would have nothing of its own",
        remedy: "Graft onto a run whose tree has a leaf for every task.")
    }
    let means = nodes.map { node in node.tasks.reduce(0) { $0 + affinities[$1] } / Double(node.tasks.count) }
    let leaves = nodes.indices.filter { nodes[$0].children.isEmpty }
    guard var cluster = leaves.max(by: { (means[$0], $1) < (means[$1], $0) }) else { return (nil, means) }
    while let parent = nodes[cluster].parent, (nodes[parent].mergeAffinity ?? -.infinity) > means[cluster] {
      cluster = parent
    }
    return (nodes[cluster].children.isEmpty ? nodes[cluster].parent : cluster, means)
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
