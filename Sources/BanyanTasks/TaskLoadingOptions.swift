public import Foundation

/// What to load from a source and how strictly.
public struct TaskLoadingOptions: Sendable {
  /// The layout; found by looking where it is `auto`.
  public var format: TaskFormat
  /// The names of the tasks to load, empty for all; the suite keeps the source's order.
  public var only: [String]
  /// More sources, whose tasks stand behind those of the first; each is of a layout that is found by looking.
  public var also: [String]
  /// The folder that relative paths of a table, split file or list start from; `nil` for the file's own folder.
  public var imageRoot: String?
  /// Decodes an image to test it, `nil` for no test; called from several threads, once a file.
  public var verifyImages: (@Sendable (URL) throws -> Void)?
  /// Whether a file that cannot be read or decoded is left out and listed, instead of being an error.
  public var skipUnreadable: Bool
  /// Whether, of equal contents in two splits or under two labels of a task, only the first is kept (train before
  /// validation before test, then the source's order) and the others are listed, instead of being an error.
  public var dropDuplicates: Bool
  /// Whether classes and splits are but places of pictures that nobody has named yet: one class is enough, and of equal contents
  /// in several places the first is kept, even where a class has none left.
  public var ignoresLabels: Bool
  /// Which of several percentages to read where a folder holds, say, both `Art_train_5.txt` and `Art_train_10.txt`.
  public var listPercentage: Int?

  /// Creates options; the defaults load everything and refuse what is doubtful.
  public init(
    format: TaskFormat = .auto, only: [String] = [], also: [String] = [], imageRoot: String? = nil,
    verifyImages: (@Sendable (URL) throws -> Void)? = nil, skipUnreadable: Bool = false, dropDuplicates: Bool = false,
    ignoresLabels: Bool = false, listPercentage: Int? = nil
  ) {
    self.format = format
    self.only = only
    self.also = also
    self.imageRoot = imageRoot
    self.verifyImages = verifyImages
    self.skipUnreadable = skipUnreadable
    self.dropDuplicates = dropDuplicates
    self.ignoresLabels = ignoresLabels
    self.listPercentage = listPercentage
  }
}
