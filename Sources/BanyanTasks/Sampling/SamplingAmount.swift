/// How much of a task to learn from.
///
/// In files it is one text, `16 shots`, `5%` or `all`, so that one setting replaces another whole; a bare integer is a
/// number of shots.
public enum SamplingAmount: Codable, Sendable, Equatable, CustomStringConvertible {
  /// So many images of each class; at least 1.
  case shots(Int)
  /// Of a class with n images, round(p·n / 100) and at least 1; p is in 0 < p ≤ 100.
  case percentage(Double)
  /// All that the source gives for training; only where it gives a test split too.
  case all

  /// Reads `16 shots`, `16-shot`, `16`, `5%`, `5 percent` or `all`; `nil` for any other text.
  public init?(_ text: String) {
    let text = text.lowercased()
    if text == "all" {
      self = .all
      return
    }
    let number = text.prefix { $0.isASCII && ($0.isNumber || ".+-e".contains($0)) }
    // `16-shot` has its hyphen taken for a part of the number.
    let digits = number.hasSuffix("-") ? number.dropLast() : number
    let unit = text.dropFirst(digits.count).drop { $0 == " " || $0 == "-" }
    switch unit {
    case "", "shot", "shots":
      guard let count = Int(digits) else { return nil }
      self = .shots(count)
    case "%", "percent":
      guard let share = Double(digits) else { return nil }
      self = .percentage(share)
    default: return nil
    }
  }

  /// `16 shots`, `5%` or `all`.
  public var description: String {
    switch self {
    case .shots(let count): count == 1 ? "1 shot" : "\(count) shots"
    case .percentage(let share): Int(exactly: share).map { "\($0)%" } ?? "\(share)%"
    case .all: "all"
    }
  }

  /// Decodes a text or an integer.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let count = try? container.decode(Int.self) {
      self = .shots(count)
      return
    }
    let text = try container.decode(String.self)
    guard let amount = SamplingAmount(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected an amount such as 16 shots, 5% or all, found \(text)")
    }
    self = amount
  }

  /// Encodes the ``description``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
