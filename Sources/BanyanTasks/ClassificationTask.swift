/// One image-classification task: its classes, how it is spoken of, and its labelled files.
public struct ClassificationTask: Codable, Sendable, Equatable {
  /// The name that identifies the task: a folder's, a file's, or the `task` column's.
  public var name: String
  /// The name for reports; ``name`` with spaces for underscores where `tasks.json` gives none.
  public var title: String
  /// The display names of the classes; a label is an index into them.
  public var classNames: [String]
  /// Sentences with one `{}` for the class name, such as `a photo of a {}.`; empty for the caller's default.
  public var templates: [String]
  /// The words a learned context starts from, such as `a photo of a`; `nil` for the caller's default.
  public var initialWords: String?
  /// The labelled files, class by class or in the source's order; the same on every machine.
  public var samples: [Sample]

  /// Creates a task; `title` defaults to the name with spaces for underscores.
  public init(
    name: String, title: String? = nil, classNames: [String], templates: [String] = [], initialWords: String? = nil,
    samples: [Sample]
  ) {
    self.name = name
    self.title = title ?? name.split(separator: "_").joined(separator: " ")
    self.classNames = classNames
    self.templates = templates
    self.initialWords = initialWords
    self.samples = samples
  }

  /// Whether the source assigns the samples to splits.
  public var hasGivenSplits: Bool { samples.contains { $0.split != nil } }

  /// How many samples each class has, in the order of ``classNames``; labels out of range are not counted.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for sample in samples where counts.indices.contains(sample.label) { counts[sample.label] += 1 }
    return counts
  }
}
