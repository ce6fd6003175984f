public import BanyanFoundation

/// Text prompts of which linear maps make image prompts: how many, at which layers, from where they start.
public struct CoupledPromptSettings: Codable, Sendable, Equatable {
  /// Prompt tokens at a layer of either tower.
  public var length = 2
  /// `J`, the first so many layers have prompts; towers with fewer have them at all layers.
  public var depth = 9
  /// Words whose first tokens start the text prompts of layer 0; `null` for the tasks' own words, or a random start.
  @Nullable public var initialWords: String? = "a photo of a"
  /// Standard deviation of random text prompts.
  public var deviation = 0.02

  /// The defaults: two tokens at nine layers, from “a photo”.
  public init() {}

  /// What every method with such prompts offers.
  static let options: [MethodDescriptor.Option] = [
    .init("length", "Prompt tokens at a layer of either tower."),
    .init("depth", "The first so many layers have prompts; towers with fewer have them at all layers."),
    .init(
      "initialWords",
      "Words whose first tokens start the text prompts of the first layer; null for the tasks' own, or a random start."),
    .init("deviation", "Standard deviation of random text prompts."),
  ]
}
