import BanyanFoundation

/// How to draw what a run learns from, the same for every task.
///
/// Unlike a ``TaskSplit`` it names no file: the same plan on the same files gives the same draw.
public struct SamplingPlan: Codable, Sendable, Equatable {
  /// How much of each class to train on.
  public var amount: SamplingAmount
  /// How many images of each class to validate on.
  ///
  /// `nil` stands for min(shots, 4) with shots, and otherwise for a tenth of the draw, rounded, at least 1; with `all`
  /// and a given validation split, for all of that. A given split that has fewer gives what it has.
  public var validationShots: Int?
  /// The seed of the draw.
  public var seed: UInt64

  /// Creates a plan.
  public init(amount: SamplingAmount, validationShots: Int? = nil, seed: UInt64) {
    self.amount = amount
    self.validationShots = validationShots
    self.seed = seed
  }

  /// Encodes every key, the absent number as `null`, so that settings may set it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(amount, forKey: .amount)
    try container.encode(validationShots, forKey: .validationShots)
    try container.encode(seed, forKey: .seed)
  }

  /// Checks that the numbers are in their ranges.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the number.
  public func validate() throws {
    // The bound keeps sums of counts far from overflow; no data set comes near.
    let most = 1_000_000_000
    switch amount {
    case .shots(let count):
      guard (1...most).contains(count) else {
        throw BanyanError(
          .usage, at: "shots", "expected at least 1 and at most \(most), found \(count)",
          remedy: "Common choices are 1, 2, 4, 8 and 16.")
      }
    case .percentage(let share):
      guard share > 0 && share <= 100 else {
        throw BanyanError(
          .usage, at: "percentage", "expected more than 0 and at most 100, found \(share)",
          remedy: "Common choices are 5, 10 and 20.")
      }
    case .all: break
    }
    if let count = validationShots, !(0...most).contains(count) {
      throw BanyanError(
        .usage, at: "validationShots", "expected at least 0 and at most \(most), found \(count)",
        remedy: "Use 0 for no validation.")
    }
  }
}
