/// The part of a task that a source assigns a sample to.
///
/// Unlike a ``TaskSplit``, which is drawn, this is what the data itself says.
public enum Split: String, Codable, Sendable, CaseIterable {
  case train
  case validation
  case test

  /// Reads the words in use for a split, whatever their case: `train`, `training`, `val`, `valid`, `validation`,
  /// `dev`, `test`, `testing`.
  ///
  /// `nil` for any other word.
  public init?(word: String) {
    switch word.lowercased() {
    case "train", "training": self = .train
    case "val", "valid", "validation", "dev": self = .validation
    case "test", "testing": self = .test
    default: return nil
    }
  }
}
