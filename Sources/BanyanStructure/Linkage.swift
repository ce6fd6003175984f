public import BanyanFoundation

/// How alike two groups of tasks are, given how alike their members are.
public enum Linkage: String, NamedChoice {
  /// The mean over all pairs of one task from each group (UPGMA).
  case average
  /// The most alike pair: groups grow in chains.
  case single
  /// The least alike pair: groups stay tight.
  case complete
}
