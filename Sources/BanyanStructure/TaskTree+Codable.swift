import BanyanFoundation

extension TaskTree: Codable {
  private enum CodingKeys: String, CodingKey { case names, nodes }

  /// Decodes `{"names": […], "nodes": […]}`, the exact form of a tree, and checks that the nodes form one.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names the node concerned.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let names = try container.decode([String].self, forKey: .names)
    let nodes = try container.decode([Node].self, forKey: .nodes)
    try TaskTree.check(names: names, nodes: nodes)
    self.init(unchecked: names, nodes: nodes)
  }

  /// Encodes the names and the nodes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(names, forKey: .names)
    try container.encode(nodes, forKey: .nodes)
  }

  private static func check(names: [String], nodes: [Node]) throws {
    try TaskNames.check(names)
    guard nodes.count < 2 * names.count else {
      throw BanyanError(
        .malformed, at: "task tree", "expected at most \(2 * names.count - 1) nodes, found \(nodes.count)")
    }
    var homes = [Bool](repeating: false, count: names.count)
    var parents = [Int?](repeating: nil, count: nodes.count)
    for (index, node) in nodes.enumerated() {
      func refuse(_ message: String) -> BanyanError { BanyanError(.malformed, at: "task tree: node \(index)", message) }
      guard node.index == index else { throw refuse("expected the index \(index), found \(node.index)") }
      guard node.mergeAffinity?.isFinite ?? true else { throw refuse("expected a finite merge affinity") }
      guard node.tasks.allSatisfy(names.indices.contains), !node.tasks.isEmpty else {
        throw refuse("expected tasks from 0 to \(names.count - 1), found \(node.tasks)")
      }
      if node.children.isEmpty {
        for task in node.tasks {
          guard !homes[task] else { throw refuse("the task \(names[task]) has two nodes") }
          homes[task] = true
        }
      } else if node.children.count == 1 {
        throw refuse("expected two children or more, found one")
      }
      for child in node.children {
        guard child >= 0, child < index else { throw refuse("expected children below \(index), found \(child)") }
        guard parents[child] == nil else { throw refuse("the child \(child) has another parent") }
        parents[child] = index
      }
      let below = node.children.isEmpty ? node.tasks.sorted() : node.children.flatMap { nodes[$0].tasks }.sorted()
      guard node.tasks == below, node.children == node.children.sorted() else {
        throw refuse("expected the tasks \(below) and its children, ascending, found \(node.tasks), \(node.children)")
      }
      guard node.name == (node.tasks.count == 1 ? names[node.tasks[0]] : nil) else {
        throw refuse("the name does not fit its tasks")
      }
    }
    for (node, parent) in zip(nodes, parents) where node.parent != parent {
      throw BanyanError(.malformed, at: "task tree: node \(node.index)", "the parent does not fit the children")
    }
    if let task = homes.firstIndex(of: false) {
      throw BanyanError(.malformed, at: "task tree", "the task \(names[task]) has no node")
    }
  }
}
