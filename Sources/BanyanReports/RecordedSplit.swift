/// One image as a run saw it.
public struct RecordedSample: Codable, Sendable, Hashable {
  /// The path relative to the suite's root, or absolute.
  public var path: String
  /// The index of the class in the task.
  public var label: Int
  /// The digest of the file's bytes; equal digests are the same image, whatever the path.
  public var sha256: String

  /// Creates a sample.
  public init(path: String, label: Int, sha256: String) {
    self.path = path
    self.label = label
    self.sha256 = sha256
  }
}

/// Which images of one task a seed drew for which purpose, so that the run can be repeated exactly.
public struct RecordedSplit: Codable, Sendable, Equatable {
  /// The task's name.
  public var task: String
  /// The images prompts were learned on.
  public var train: [RecordedSample]
  /// The images choices were made on.
  public var validation: [RecordedSample]
  /// The images the accuracies are measured on.
  public var test: [RecordedSample]

  /// Creates a split.
  public init(
    task: String, train: [RecordedSample], validation: [RecordedSample], test: [RecordedSample]
  ) {
    self.task = task
    self.train = train
    self.validation = validation
    self.test = test
  }
}
