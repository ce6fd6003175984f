import BanyanCLIP
public import BanyanFoundation

/// Free prompts of the image tower and the sentences beside them: how many, at which layers.
public struct ImagePromptSettings: Codable, Sendable, Equatable {
  /// Prompt tokens at a layer.
  public var length = 16
  /// Whether layers after the first have prompts of their own, in place of what the layer before made of its own.
  public var deep = true
  /// The first so many layers have prompts, where they are deep; `null` for all.
  @Nullable public var depth: Int?
  /// Sentences with `{}` for the class name, for the frozen text tower.
  public var templates = ["a photo of a {}."]

  /// The defaults: 16 tokens at every layer.
  public init() {}

  /// What every method with such prompts offers.
  static let options: [MethodDescriptor.Option] = [
    .init("length", "Prompt tokens at a layer."),
    .init("deep", "Whether every layer has prompts of its own; false puts prompts at the input alone."),
    .init("depth", "The first so many layers have prompts, where they are deep; null for all."),
    .init("templates", "Sentences with {} for the class name; their unit features are averaged."),
  ]

  /// The unit of these settings over `context`'s image tower.
  ///
  /// - Throws: A `BanyanError` that names the key whose value does not fit the tower.
  func unit(_ context: MethodContext) throws -> ImagePromptUnit {
    guard deep || depth == nil || depth == 1 else {
      throw BanyanError(
        .usage, at: "depth", "expected null or 1 where deep is false, found \(depth ?? 0)",
        remedy: "Set deep to true, or leave depth out.")
    }
    return try ImagePromptUnit(length: length, depth: deep ? depth : 1, model: context.model.configuration)
  }
}
