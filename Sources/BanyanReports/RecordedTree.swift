/// The tree of tasks of one seed, in a form other programs read and in a form that is exact.
public struct RecordedTree: Codable, Sendable, Equatable {
  /// One node of the tree.
  public struct Node: Codable, Sendable, Equatable {
    /// The node's place in ``RecordedTree/nodes``.
    public var index: Int
    /// The task's name where the node belongs to one task alone.
    public var name: String?
    /// The nodes right below.
    public var children: [Int]
    /// The node right above; `nil` for a root.
    public var parent: Int?
    /// The affinity at which the children were joined, where it is known.
    public var mergeAffinity: Double?
    /// The names of the tasks that share a childless node; `nil` where ``name`` says it all.
    public var shared: [String]?

    /// Creates a node.
    public init(
      index: Int, name: String? = nil, children: [Int] = [], parent: Int? = nil, mergeAffinity: Double? = nil,
      shared: [String]? = nil
    ) {
      self.index = index
      self.name = name
      self.children = children
      self.parent = parent
      self.mergeAffinity = mergeAffinity
      self.shared = shared
    }
  }

  /// The tree in Newick form.
  public var newick: String
  /// The nodes, children before parents.
  public var nodes: [Node]

  /// Creates a recorded tree.
  public init(newick: String, nodes: [Node]) {
    self.newick = newick
    self.nodes = nodes
  }
}
