/// Which tasks share what: a tree whose leaves are tasks and whose inner nodes are groups of related tasks.
///
/// HiPro gives every node one prompt: a task uses those on the path from the root to its own node. Leaves have the
/// indices `0 ..< T` in task order and inner nodes `T … 2T − 2` in the order of merging, so the root of a clustered
/// tree is the last node. The numbering is canonical: equal trees have equal nodes, however they were made.
///
/// More general shapes serve as comparisons: ``single(_:)`` has one node that all tasks share and no leaf for any of
/// them, ``flat(_:)`` has leaves and nothing above them, and a tree read from Newick may join more than two at once.
///
///     let tree = try TaskTree(clustering: affinity)
///     tree.path(to: 0)                    // [4, 3, 0]: root … leaf
public struct TaskTree: Sendable, Equatable {
  /// One node: a prompt's place.
  public struct Node: Codable, Sendable, Equatable {
    /// The node's place in ``TaskTree/nodes``.
    public let index: Int
    /// The task's name where the node belongs to one task alone; `nil` where it is shared.
    public let name: String?
    /// The nodes right below, ascending; each has a lower index than this node.
    public let children: [Int]
    /// The node right above; `nil` for a root.
    public let parent: Int?
    /// The affinity at which the children were joined, where it is known.
    public let mergeAffinity: Double?
    /// The tasks at or below the node, ascending.
    public let tasks: [Int]

    /// Whether the node belongs to one task alone.
    public var isLeaf: Bool { children.isEmpty && tasks.count == 1 }
    /// Whether several tasks use the node.
    public var isShared: Bool { tasks.count > 1 }
  }

  /// The tasks' names, in task order.
  public let names: [String]
  /// All nodes, children before parents.
  public let nodes: [Node]
  private let home: [Int]

  /// Takes nodes that are known to form a tree over `names`.
  init(unchecked names: [String], nodes: [Node]) {
    self.names = names
    self.nodes = nodes
    var home = [Int](repeating: 0, count: names.count)
    for node in nodes where node.children.isEmpty {
      for task in node.tasks { home[task] = node.index }
    }
    self.home = home
  }

  /// The number of tasks.
  public var taskCount: Int { names.count }

  /// The nodes without a parent, ascending; one for a tree, several for a forest such as ``flat(_:)``.
  public var roots: [Int] { nodes.filter { $0.parent == nil }.map(\.index) }

  /// The node above all others; `nil` where there is no single one.
  public var root: Int? { roots.count == 1 ? roots.first : nil }

  /// The nodes from the root down to the deepest node of `task`, both included.
  ///
  /// - Precondition: `task` is in `0 ..< taskCount`.
  public func path(to task: Int) -> [Int] {
    var path = [home[task]]
    while let parent = nodes[path[path.count - 1]].parent { path.append(parent) }
    return path.reversed()
  }

  /// Whether the node at `index` belongs to one task alone.
  public func isLeaf(_ index: Int) -> Bool { nodes[index].isLeaf }

  /// The tasks in the order of a drawing without crossing lines: depth first, the child with the lowest task first.
  public var leafOrder: [Int] {
    var order: [Int] = []
    var stack = sortedForDrawing(roots)
    while let index = stack.popLast() {
      let node = nodes[index]
      if node.children.isEmpty { order += node.tasks } else { stack += sortedForDrawing(node.children) }
    }
    return order
  }

  /// Highest first task first, so that a stack pops the lowest.
  private func sortedForDrawing(_ indices: [Int]) -> [Int] {
    indices.sorted { (nodes[$0].tasks.first ?? 0) > (nodes[$1].tasks.first ?? 0) }
  }
}
