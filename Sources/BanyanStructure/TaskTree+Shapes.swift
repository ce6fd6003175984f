import BanyanFoundation

extension TaskTree {
  /// One node that all tasks share and no node of their own: the shape of one prompt for all tasks (CoOp-MT).
  ///
  /// - Throws: A `BanyanError` where a name is missing or occurs twice.
  public static func single(_ names: [String]) throws -> TaskTree {
    try TaskNames.check(names)
    var draft = TaskTreeDraft()
    _ = draft.addLeaf(tasks: Array(names.indices))
    return draft.finish(names: names)
  }

  /// One leaf per task and nothing above: the shape of one prompt for each task (CoOp).
  ///
  /// - Throws: A `BanyanError` where a name is missing or occurs twice.
  public static func flat(_ names: [String]) throws -> TaskTree {
    try TaskNames.check(names)
    var draft = TaskTreeDraft()
    for task in names.indices { _ = draft.addLeaf(tasks: [task]) }
    return draft.finish(names: names)
  }

  /// A binary tree made by joining two groups drawn at random until one is left: the control for a clustered tree.
  ///
  /// It has no merge affinities. The same names and seed give the same tree on every machine.
  ///
  /// - Throws: A `BanyanError` where a name is missing or occurs twice.
  public static func random(_ names: [String], seed: UInt64) throws -> TaskTree {
    try TaskNames.check(names)
    var generator = SeededGenerator(seed: seed, label: "random task tree")
    var draft = TaskTreeDraft()
    var groups = names.indices.map { draft.addLeaf(tasks: [$0]) }
    while groups.count > 1 {
      let first = groups.remove(at: generator.integer(below: groups.count))
      let second = groups.remove(at: generator.integer(below: groups.count))
      groups.append(draft.join([first, second], affinity: nil))
    }
    return draft.finish(names: names)
  }

  /// The same tree with the tasks in another order: new task `i` is the old task `order[i]`, as
  /// ``AffinityMatrix/permuted(_:)`` has it.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `order` does not hold every index once.
  public func permuted(_ order: [Int]) throws -> TaskTree {
    try TaskNames.checkPermutation(order, count: taskCount)
    var newIndex = [Int](repeating: 0, count: taskCount)
    for (new, old) in order.enumerated() { newIndex[old] = new }
    var draft = TaskTreeDraft()
    for node in nodes {
      if node.children.isEmpty {
        _ = draft.addLeaf(tasks: node.tasks.map { newIndex[$0] })
      } else {
        _ = draft.join(node.children, affinity: node.mergeAffinity)
      }
    }
    return draft.finish(names: order.map { names[$0] })
  }

  /// The same tree with the tasks in the order of `names`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `names` are not this tree's tasks.
  public func reordered(to names: [String]) throws -> TaskTree {
    try permuted(TaskTree.positions(of: names, in: self.names))
  }

  /// For each of `wanted` its place in `present`; both must hold the same names.
  static func positions(of wanted: [String], in present: [String]) throws -> [Int] {
    let places = Dictionary(present.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let order = try wanted.map { name -> Int in
      guard let place = places[name] else {
        throw BanyanError(
          .usage, at: "task \(name)", "there is no such task in the tree",
          remedy: NearNames.remedy(for: name, among: present))
      }
      return place
    }
    let missing = Set(present).subtracting(wanted)
    guard missing.isEmpty, order.count == present.count else {
      let what =
        missing.isEmpty ? "a task is named twice" : "missing: \(missing.sorted().joined(separator: ", "))"
      throw BanyanError(.usage, at: "tasks of the tree", "expected \(present.count) tasks once each; \(what)")
    }
    return order
  }
}
