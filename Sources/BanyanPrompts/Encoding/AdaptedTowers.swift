public import BanyanFoundation

/// Which towers of the backbone a method changes.
public enum AdaptedTowers: String, NamedChoice {
  /// The image and the text tower.
  case both
  /// The image tower; class weights stay those of the frozen text tower.
  case image
  /// The text tower; pictures keep their cached features.
  case text

  /// The towers by the names that their weights' paths begin with.
  var names: [String] { self == .both ? ["image", "text"] : [rawValue] }
}
