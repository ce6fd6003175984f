import BanyanFoundation

/// The drawn world that a sweep runs on, where its `tasks` name one instead of a folder.
///
/// Unlike the world itself this is only its description; who runs the sweep draws it. As a part of a file:
///
///     "tasks": {"world": {"preset": "mixed", "seed": 11, "pictures": 30}}
public struct SweepWorld: Codable, Sendable, Equatable {
  /// The preset's name.
  public var preset: String = "mixed"
  /// What all pictures are drawn from.
  public var seed: UInt64 = 7
  /// Pictures of every class of every task.
  public var pictures: Int = 30

  /// A world with all defaults.
  public init() {}

  /// Its folder below a sweep's output; another world has another folder, so that no run takes it for its own.
  public var folderName: String { "world/\(preset)-\(seed)-\(pictures)" }

  /// The world that a value of `tasks` describes; `nil` where it is no object.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where the object holds anything but a world.
  init?(tasks: JSONValue?, subject: String) throws {
    guard let members = tasks?.objectValue else { return nil }
    guard let world = members["world"], members.count == 1 else {
      throw BanyanError(
        .usage, at: "\(subject): tasks", "expected a path or a world, found the keys \(members.keys.sorted())",
        remedy: "For example {\"world\": {\"preset\": \"mixed\", \"seed\": 11, \"pictures\": 30}}.")
    }
    self = try Settings.apply(world, to: SweepWorld(), subject: "\(subject): tasks.world")
  }
}
