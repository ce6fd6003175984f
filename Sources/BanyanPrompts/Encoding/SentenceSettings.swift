/// What may be set of a method whose class names stand in sentences written by hand, and of nothing else.
public struct SentenceSettings: Codable, Sendable, Equatable {
  /// Sentences with `{}` for the class name.
  public var templates = ["a photo of a {}."]

  /// The default: one sentence.
  public init() {}

  static let options: [MethodDescriptor.Option] = [
    .init("templates", "Sentences with {} for the class name; their unit features are averaged.")
  ]
}
