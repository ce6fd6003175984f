/// One labelled image file of a task.
public struct Sample: Codable, Sendable, Hashable {
  /// The file's path, relative to the suite's root where it lies below it, absolute otherwise.
  public var path: String
  /// The index of the class in ``ClassificationTask/classNames``.
  public var label: Int
  /// The split that the source gives; `nil` where it gives none.
  public var split: Split?
  /// The SHA-256 of the file's bytes, in lower-case hexadecimal.
  public var sha256: String

  /// Creates a sample.
  public init(path: String, label: Int, split: Split? = nil, sha256: String) {
    self.path = path
    self.label = label
    self.split = split
    self.sha256 = sha256
  }
}

/// A file that a source holds and the suite leaves out, and why.
public struct SkippedFile: Codable, Sendable, Hashable {
  /// Why a file is left out.
  public enum Reason: String, Codable, Sendable, CaseIterable {
    /// It cannot be read or decoded.
    case unreadable
    /// Its content already occurs in the task under another split or label, or its path is listed twice.
    case duplicate
    /// It is a picture of a format that is not read (gif, bmp, tiff, heic, avif).
    case unsupportedFormat
    /// It is a picture beside the class folders and so has no class.
    case outsideClassFolders
  }

  /// The task it belongs to.
  public var task: String
  /// Its path, as ``Sample/path`` gives it.
  public var path: String
  /// Why it is left out.
  public var reason: Reason
  /// The same in a sentence's words, with the other file where there is one.
  public var detail: String

  /// Creates an entry.
  public init(task: String, path: String, reason: Reason, detail: String) {
    self.task = task
    self.path = path
    self.reason = reason
    self.detail = detail
  }
}
