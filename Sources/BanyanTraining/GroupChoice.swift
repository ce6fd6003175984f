import BanyanFoundation
import BanyanStructure

/// How tasks are put into groups, for methods that learn one model a group.
///
/// In files a word, or the groups as lists of names: `[["photo", "art"], ["cartoon"]]`.
public enum GroupChoice: Codable, Sendable, Equatable {
  /// The partition with the largest affinity inside its groups.
  case auto
  /// A partition drawn by the seed.
  case random
  /// One group.
  case allInOne
  /// Every task alone.
  case none
  /// These groups.
  case given([[String]])

  private static let words: [(String, GroupChoice)] = [
    ("auto", .auto), ("random", .random), ("all-in-one", .allInOne), ("none", .none),
  ]

  /// The words that stand for a way to group.
  public static var names: [String] { words.map(\.0) }

  /// The choice that a word stands for, or `nil`.
  public init?(word: String) {
    guard let choice = Self.words.first(where: { $0.0 == word })?.1 else { return nil }
    self = choice
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let lists = try? container.decode([[String]].self) {
      self = .given(lists)
      return
    }
    guard let word = try? container.decode(String.self), let choice = GroupChoice(word: word) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected \(Self.names.joined(separator: ", ")) or lists of task names")
    }
    self = choice
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if case .given(let lists) = self {
      try container.encode(lists)
    } else {
      try container.encode(Self.words.first { $0.1 == self }?.0)
    }
  }

  /// The groups of `names`.
  ///
  /// - Parameter affinity: What was measured; needed by ``auto`` alone.
  func groups(_ names: [String], affinity: AffinityMatrix?, seed: UInt64) throws -> TaskGroups {
    switch self {
    // Before anything is measured, the one model that all tasks share.
    case .auto: try affinity.map { try TaskGroups(partitioning: $0) } ?? .allInOne(names)
    case .random: try .random(names, seed: seed)
    case .allInOne: try .allInOne(names)
    case .none: try .none(names)
    case .given(let lists): try TaskGroups(reading: lists, names: names)
    }
  }
}
