import BanyanFoundation

/// One task of a world: some classes in one variant of one style.
public struct WorldTask: Codable, Sendable, Hashable {
  /// The folder's name.
  public var name: String
  /// What the task is related to by construction: tasks of one family are variants of one style.
  public var family: String
  /// How its pictures are rendered.
  public var style: Style
  /// The rendering operations in which it differs from its family.
  public var variant: StyleVariant
  /// What its pictures show, in the order of labels.
  public var classes: [ObjectClass]

  /// Creates a task of the world.
  public init(
    _ name: String, family: String, _ style: Style, _ variant: StyleVariant = StyleVariant(),
    classes: [ObjectClass] = ObjectClass.allCases
  ) {
    self.name = name
    self.family = family
    self.style = style
    self.variant = variant
    self.classes = classes
  }
}
