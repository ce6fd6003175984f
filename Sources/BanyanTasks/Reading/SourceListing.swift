/// What a reader finds in a source, before any file is opened.
struct SourceListing {
  /// One labelled file as the source names it.
  struct Entry {
    /// Relative to the root where it lies below it, absolute otherwise.
    var path: String
    var label: Int
    var split: Split?
    /// The line of the file that names it; `nil` where a folder does.
    var line: Int?
  }

  /// One task as the source has it.
  struct Draft {
    var name: String
    var title: String?
    /// The classes as the source writes them: folder names, label texts.
    var classKeys: [String]
    /// What they are called in prompts.
    var classNames: [String]
    var templates: [String] = []
    var initialWords: String?
    var entries: [Entry]
    /// The file or folder that errors name.
    var origin: String
  }

  /// The folder that relative paths start from.
  var root: SourcePath
  /// The names of all tasks of the source, those that were not asked for too.
  var available: [String]
  /// The tasks that were asked for.
  var tasks: [Draft]
  var skipped: [SkippedFile] = []
}

/// How a folder or label is spoken of: underscores, and hyphens where asked, become spaces.
func displayName(_ key: String, hyphens: Bool = true) -> String {
  key.split { $0 == "_" || $0 == " " || (hyphens && $0 == "-") }.joined(separator: " ")
}
