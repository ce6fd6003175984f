import BanyanFoundation

/// Which tasks learn together: disjoint groups that cover all tasks.
///
/// A ``TaskTree`` nests groups in groups; here every task is in one group and no group is in another, as MmAP needs them
/// (Xin et al., *MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning*, AAAI 2024). The form is
/// canonical: tasks ascend within a group and groups stand in the order of their first tasks, so equal groupings are
/// equal values.
///
///     let groups = try TaskGroups(partitioning: affinity)
///     groups.groups                       // [[0, 2], [1]]
///     groups.group(of: 2)                 // 0
public struct TaskGroups: Sendable, Equatable {
  /// The tasks' names, in task order.
  public let names: [String]
  /// The tasks of every group.
  public let groups: [[Int]]
  private let home: [Int]

  /// Takes disjoint groups, in any order, that are known to cover `names`.
  init(unchecked names: [String], groups: [[Int]]) {
    self.names = names
    self.groups = groups.map { $0.sorted() }.sorted { ($0.first ?? 0) < ($1.first ?? 0) }
    var home = [Int](repeating: 0, count: names.count)
    for (group, tasks) in self.groups.enumerated() {
      for task in tasks { home[task] = group }
    }
    self.home = home
  }

  /// Creates groups from the tasks' indices, in any order; ``init(reading:names:)`` takes names instead.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the task which is in no group or twice in them, or the group
  ///   which is empty or has an index that is no task's; of kind `malformed` where the names are not all different.
  public init(names: [String], groups: [[Int]]) throws {
    try TaskNames.check(names)
    for (number, tasks) in groups.enumerated() {
      if let task = tasks.first(where: { !names.indices.contains($0) }) {
        throw BanyanError(
          .usage, at: Self.subject(group: number), "expected tasks from 0 to \(names.count - 1), found \(task)")
      }
    }
    try Self.checkTwice(groups.map { $0.map { names[$0] } }, kind: .usage)
    let missing = Set(names.indices).subtracting(groups.joined())
    guard missing.isEmpty else {
      throw BanyanError(
        .usage, at: "task groups",
        "expected every task in a group, missing: \(missing.sorted().map { names[$0] }.joined(separator: ", "))",
        remedy: "Add what is missing; a task that shares with none is a group of its own.")
    }
    self.init(unchecked: names, groups: groups)
  }

  /// The number of groups.
  public var count: Int { groups.count }

  /// The number of tasks.
  public var taskCount: Int { names.count }

  /// The place in ``groups`` of the group that `task` is in.
  ///
  /// - Precondition: `task` is in `0 ..< taskCount`.
  public func group(of task: Int) -> Int { home[task] }

  /// Where an error about one group is; people count from 1.
  static func subject(group number: Int) -> String { "task groups: group \(number + 1)" }

  /// Refuses groups without a task and tasks that are listed twice.
  static func checkTwice(_ groups: [[String]], kind: BanyanError.Kind) throws {
    var seen: [String: Int] = [:]
    for (number, tasks) in groups.enumerated() {
      guard !tasks.isEmpty else { throw BanyanError(kind, at: subject(group: number), "expected a task, found none") }
      for task in tasks {
        if let other = seen.updateValue(number, forKey: task) {
          throw BanyanError(
            kind, at: "task groups: task \(task)",
            "expected it once, found it "
              + (other == number ? "twice in group \(number + 1)" : "in group \(other + 1) and in group \(number + 1)"))
        }
      }
    }
  }
}
