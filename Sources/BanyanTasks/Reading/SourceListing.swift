import BanyanFoundation

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

extension SourceListing {
  /// Puts the tasks of another source behind these.
  ///
  /// - Parameter keepsFirst: Whether of two tasks of one name the first is meant, as where names are asked for.
  /// - Throws: A `BanyanError` of kind `malformed` where both have a task of one name and it is not said which is meant.
  mutating func append(_ other: SourceListing, keepsFirst: Bool, subject: String) throws {
    let known = Set(tasks.map(\.name))
    for var draft in other.tasks {
      if known.contains(draft.name), keepsFirst { continue }
      guard !known.contains(draft.name) else {
        throw BanyanError(
          .malformed, at: subject, "another source has a task \(draft.name) too", remedy: "Rename one of them.")
      }
      for index in draft.entries.indices {
        draft.entries[index].path = root.normal(other.root.absolute(draft.entries[index].path))
      }
      tasks.append(draft)
    }
    available += other.available
    skipped += other.skipped.map { file in
      var file = file
      file.path = root.normal(other.root.absolute(file.path))
      return file
    }
  }

  /// Leaves the tasks that are asked for; all where none is.
  mutating func select(_ names: [String], subject: String) throws {
    guard !names.isEmpty else { return }
    let known = tasks.map(\.name)
    if let name = names.first(where: { !known.contains($0) }) {
      throw BanyanError(
        .usage, at: "task \(name)", "there is no such task in \(subject) or the other sources",
        remedy: NearNames.remedy(for: name, among: known))
    }
    tasks.removeAll { !names.contains($0.name) }
    skipped.removeAll { !names.contains($0.task) }
  }
}

/// How a folder or label is spoken of: underscores, and hyphens where asked, become spaces.
func displayName(_ key: String, hyphens: Bool = true) -> String {
  key.split { $0 == "_" || $0 == " " || (hyphens && $0 == "-") }.joined(separator: " ")
}
