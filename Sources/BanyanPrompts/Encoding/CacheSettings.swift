import BanyanFoundation

/// What may be set of a method that looks a picture up among the training pictures.
public struct CacheSettings: Codable, Sendable, Equatable {
  /// `α`, the weight of what the training pictures say.
  public var alpha = 1.0
  /// `β`, how fast a training picture's say falls with its distance.
  public var beta = 5.5
  /// Whether `α` and `β` are chosen on validation pictures, for each task apart.
  public var search = false
  /// Up to where `α` is tried.
  public var alphaLimit = 3.0
  /// Up to where `β` is tried.
  public var betaLimit = 7.0
  /// Sentences with `{}` for the class name, for the text half of the logits.
  public var templates = ["a photo of a {}."]

  static let options: [MethodDescriptor.Option] = [
    .init("alpha", "Weight of what the training pictures say, beside the text."),
    .init("beta", "How fast a training picture's say falls with its distance."),
    .init("search", "Whether alpha and beta are chosen on validation pictures, for each task apart."),
    .init("alphaLimit", "Up to where alpha is tried, in 20 steps from 0.1."),
    .init("betaLimit", "Up to where beta is tried, in 200 steps from 0.1."),
    .init("templates", "Sentences with {} for the class name; their unit features are averaged."),
  ]

  /// Refuses numbers that make no sense.
  func check() throws {
    for (key, value) in [("alpha", alpha), ("beta", beta)] where !(value >= 0 && value.isFinite) {
      throw BanyanError(.usage, at: key, "expected a number of zero or more, found \(value)")
    }
    for (key, value) in [("alphaLimit", alphaLimit), ("betaLimit", betaLimit)]
    where !(value > Self.least && value.isFinite) {
      throw BanyanError(.usage, at: key, "expected a number above \(Self.least), found \(value)")
    }
  }

  /// The values of `α` that are tried.
  var alphas: [Double] { Self.grid(to: alphaLimit, count: 20) }
  /// The values of `β` that are tried.
  var betas: [Double] { Self.grid(to: betaLimit, count: 200) }

  private static let least = 0.1

  private static func grid(to limit: Double, count: Int) -> [Double] {
    (0..<count).map { least + Double($0) * (limit - least) / Double(count) }
  }
}
