import BanyanFoundation

extension TaskGroups {
  /// The names of the tasks of every group, in the order of ``groups``.
  public var namedGroups: [[String]] { groups.map { $0.map { names[$0] } } }

  /// Reads groups that are lists of names, as a file has them, against the tasks of a run.
  ///
  /// - Parameters:
  ///   - groups: The names in every group, in any order: `[["photo", "art"], ["cartoon"]]`.
  ///   - names: The run's tasks, in run order.
  /// - Throws: A `BanyanError` of kind `usage` that names the task which is unknown (with the near names), missing or
  ///   twice there, or the group which is empty.
  public init(reading groups: [[String]], names: [String]) throws {
    let places = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let indices = try groups.enumerated().map { number, tasks in
      try tasks.map { name in
        guard let place = places[name] else {
          throw BanyanError(
            .usage, at: Self.subject(group: number), "there is no task \(name)",
            remedy: NearNames.remedy(for: name, among: names))
        }
        return place
      }
    }
    try self.init(names: names, groups: indices)
  }

  /// The same groups with the tasks in the order of `names`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `names` are not these groups' tasks.
  public func reordered(to names: [String]) throws -> TaskGroups {
    try TaskGroups(reading: namedGroups, names: names)
  }
}

extension TaskGroups: Codable {
  /// Decodes lists of names, `[["photo", "art"], ["cartoon"]]`.
  ///
  /// A run's order of tasks is not part of this form: the tasks have the order in which they stand there.
  /// ``reordered(to:)`` gives them the run's.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names the task which is there twice or the group which is empty.
  public init(from decoder: any Decoder) throws {
    let groups = try decoder.singleValueContainer().decode([[String]].self)
    try Self.checkTwice(groups, kind: .malformed)
    let names = groups.flatMap { $0 }
    try TaskNames.check(names)
    var next = 0
    let indices = groups.map { tasks -> [Int] in
      defer { next += tasks.count }
      return Array(next..<next + tasks.count)
    }
    self.init(unchecked: names, groups: indices)
  }

  /// Encodes ``namedGroups``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(namedGroups)
  }
}
