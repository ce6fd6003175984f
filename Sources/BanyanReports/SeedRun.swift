/// Everything one seed of a run used and found.
public struct SeedRun: Codable, Sendable, Equatable {
  /// The seed.
  public var seed: UInt64
  /// The images by task, in task order.
  public var split: [RecordedSplit]
  /// The affinities, where the method measures them.
  public var affinity: RecordedAffinity?
  /// The tree, where the method uses one.
  public var tree: RecordedTree?
  /// The groups of tasks by name, where the method uses them.
  public var groups: [[String]]?
  /// By how much another partition's affinity could exceed that of ``groups`` at most, where the search did not prove them the best.
  public var groupsGap: Double?
  /// The results by task name.
  public var tasks: [String: SeedTaskResult]
  /// The number of optimizer steps.
  public var steps: Int
  /// The training losses, possibly of some steps only.
  public var lossCurve: LossCurve
  /// The way of combining classifiers that ``SeedTaskResult/top1`` stands for, where the method has several.
  public var chosenCombination: String?

  /// Creates the record of one seed.
  public init(
    seed: UInt64, split: [RecordedSplit], affinity: RecordedAffinity? = nil, tree: RecordedTree? = nil,
    groups: [[String]]? = nil, groupsGap: Double? = nil, tasks: [String: SeedTaskResult], steps: Int = 0,
    lossCurve: LossCurve = LossCurve(),
    chosenCombination: String? = nil
  ) {
    self.seed = seed
    self.split = split
    self.affinity = affinity
    self.tree = tree
    self.groups = groups
    self.groupsGap = groupsGap
    self.tasks = tasks
    self.steps = steps
    self.lossCurve = lossCurve
    self.chosenCombination = chosenCombination
  }
}
