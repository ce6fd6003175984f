public import BanyanFoundation
public import BanyanPrompts
public import BanyanStructure
import Foundation

/// How the affinity of tasks is measured and made a tree.
public struct AffinitySettings: Codable, Sendable, Equatable {
  /// What is measured at a recorded step.
  public enum Kind: String, NamedChoice {
    /// `⟨gᵢ, gⱼ⟩ / (‖gᵢ‖ ‖gⱼ‖)`, HiPro's.
    case gradientCosine = "gradient-cosine"
    /// The cosine of `uᵢ − ū` and `uⱼ − ū`, where `u = g/‖g‖` and `ū` is the mean over the tasks: what tasks share beyond
    /// the direction that serves all of them, which the root's prompt learns anyway.
    case centredGradientCosine = "centred-gradient-cosine"
    /// `⟨gᵢ, gⱼ⟩`, MmAP's equation 8.
    case gradientDot = "gradient-dot"
    /// `1 − Lⱼ(p − η gᵢ) / Lⱼ(p)`, made symmetric; Fifty et al., NeurIPS 2021.
    case lookAhead = "look-ahead"
    /// `1 − d_sym` of task embeddings: no prompt is learned, the image tower is looked through.
    case task2vec
  }

  /// What is measured; `null` for gradient cosines where a tree is built and their dot products where groups are.
  @Nullable public var kind: Kind?
  /// Steps that warm the shared prompt up.
  public var steps = 30
  /// A measurement every so many steps.
  public var recordEvery = 1
  /// The rate of the warm-up; `null` for the rate of training.
  @Nullable public var learningRate: Double?
  /// `η` of the look-ahead.
  public var lookAheadRate = 0.1
  /// How embeddings are made, where they are what is compared.
  public var embedding = Self.quickEmbedding
  /// How groups are compared.
  public var linkage = Linkage.average
  /// `affinity`, `random`, `flat`, `single`, or a tree in Newick form.
  public var tree = "affinity"
  /// How groups of tasks are found, for methods that learn one model a group.
  public var groups = GroupChoice.auto

  /// A thousand draws a task: enough to order tasks, where an embedding that is kept deserves more.
  private static var quickEmbedding: EmbeddingSettings {
    var settings = EmbeddingSettings()
    settings.draws = 1000
    return settings
  }

  /// The defaults: 30 steps, average linkage.
  public init() {}

  /// What is measured for a method that asks for `structure`.
  public func kind(for structure: TaskStructure) -> Kind {
    kind ?? (structure == .groups ? .gradientDot : .gradientCosine)
  }

  func validate() throws {
    guard (1...1_000_000).contains(steps) else {
      throw BanyanError(.usage, at: "affinity.steps", "expected at least 1, found \(steps)")
    }
    guard (1...steps).contains(recordEvery) else {
      throw BanyanError(.usage, at: "affinity.recordEvery", "expected 1 to \(steps), found \(recordEvery)")
    }
    for (key, value) in [("learningRate", learningRate ?? 1), ("lookAheadRate", lookAheadRate)]
    where !(value > 0 && value.isFinite) {
      throw BanyanError(.usage, at: "affinity.\(key)", "expected a positive number, found \(value)")
    }
    try embedding.validate(at: "affinity.embedding")
    let words = ["affinity", "random", "flat", "single"]
    guard words.contains(tree) || tree.hasPrefix("(") else {
      throw BanyanError(
        .usage, at: "affinity.tree", "expected \(words.joined(separator: ", ")) or a Newick tree, found \(tree)",
        remedy: NearNames.remedy(for: tree, among: words))
    }
  }
}
