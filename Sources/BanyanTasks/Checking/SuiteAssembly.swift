import BanyanFoundation
import Foundation

/// Makes a suite of what a reader found: reads the files, and checks what only their content can tell.
struct SuiteAssembly {
  let listing: SourceListing
  let options: TaskLoadingOptions
  let subject: String

  func suite() throws -> TaskSuite {
    var skipped = listing.skipped
    for draft in listing.tasks { try check(draft) }
    let drafts = try listing.tasks.map { try withoutRepeatedPaths($0, skipped: &skipped) }
    let hashes = try hashes(of: drafts)
    var tasks: [ClassificationTask] = []
    for draft in drafts {
      var samples: [Sample] = []
      samples.reserveCapacity(draft.entries.count)
      for entry in draft.entries {
        switch hashes[entry.path] {
        case .success(let hash):
          samples.append(Sample(path: entry.path, label: entry.label, split: entry.split, sha256: hash))
        case .failure(let error):
          skipped.append(
            SkippedFile(task: draft.name, path: entry.path, reason: .unreadable, detail: error.description))
        case nil: break
        }
      }
      let task = ClassificationTask(
        name: draft.name, title: draft.title, classNames: draft.classNames, templates: draft.templates,
        initialWords: draft.initialWords, samples: samples)
      let duplicates = DuplicateContents(task: task, dropping: dropsDuplicates)
      let kept = try duplicates.resolve(skipped: &skipped)
      if !options.ignoresLabels { try checkNotEmptied(kept, before: draft) }
      tasks.append(kept)
    }
    guard tasks.contains(where: { !$0.samples.isEmpty }) else {
      throw BanyanError(.missingInput, at: subject, "there are no images", remedy: TaskFormat.overview + ".")
    }
    return TaskSuite(root: listing.root.folder, tasks: tasks, skipped: skipped)
  }

  private var dropsDuplicates: Bool { options.dropDuplicates || options.ignoresLabels }

  /// The hash or error of every file; one that two tasks share is read once.
  private func hashes(of drafts: [SourceListing.Draft]) throws -> [String: Result<String, BanyanError>] {
    var seen: Set<String> = []
    let paths = drafts.flatMap { $0.entries.map(\.path) }.filter { seen.insert($0).inserted }
    let work = FileHashing(verify: options.verifyImages, keepGoing: options.skipUnreadable)
    do {
      let results = try work.hashes(of: paths.map(listing.root.absolute))
      return Dictionary(uniqueKeysWithValues: zip(paths, results))
    } catch let error as BanyanError where error.remedy.isEmpty {
      throw BanyanError(
        error.kind, at: error.subject, error.message,
        remedy: "Replace the file, take it out, or skip unreadable files (--skip-unreadable). "
          + "If many are missing, check the folder that paths start from (--image-root).")
    }
  }

  /// Checks of names and labels.
  private func check(_ draft: SourceListing.Draft) throws {
    let subject = "task \(draft.name)"
    guard !draft.name.isEmpty else {
      throw BanyanError(.malformed, at: draft.origin, "a task has no name", remedy: "Rename the file or folder.")
    }
    guard draft.classKeys.count > 1 || options.ignoresLabels else {
      throw BanyanError(
        .malformed, at: subject,
        "expected two classes or more, found \(draft.classNames.joined(separator: ", ")) alone",
        remedy: "Add a class, or load the other tasks only.")
    }
    var seen: [String: Int] = [:]
    for (label, name) in draft.classNames.enumerated() where !options.ignoresLabels {
      guard !name.allSatisfy(\.isWhitespace) else {
        throw BanyanError(
          .malformed, at: subject, "the class \(draft.classKeys[label]) has a blank name",
          remedy: "Give it one under classNames in tasks.json.")
      }
      // A text tower reads lower case, so two names that differ in case alone would be one prompt.
      if let other = seen.updateValue(label, forKey: name.lowercased()) {
        throw BanyanError(
          .malformed, at: subject,
          "two classes have the name \(name): \(draft.classKeys[other]) and \(draft.classKeys[label])",
          remedy: "Give them different names under classNames in tasks.json.")
      }
    }
    for entry in draft.entries where entry.path.utf8.contains(0) {
      throw BanyanError(.malformed, at: draft.origin, "a path holds a zero byte")
    }
    if draft.entries.contains(where: { $0.split != nil }), let bare = draft.entries.first(where: { $0.split == nil }) {
      let line = bare.line.map { ", line \($0)" } ?? ""
      throw BanyanError(
        .malformed, at: draft.origin + line,
        "\(bare.path) has no split, but other samples of the task \(draft.name) have one",
        remedy: "Give every sample of a task a split, or none.")
    }
  }

  /// A path that is listed twice in one task is an error or, where duplicates are dropped, listed.
  private func withoutRepeatedPaths(
    _ draft: SourceListing.Draft, skipped: inout [SkippedFile]
  ) throws -> SourceListing.Draft {
    var first: [String: SourceListing.Entry] = [:]
    first.reserveCapacity(draft.entries.count)
    var kept = draft
    // Train comes before validation and test, so that a test copy is the one to go.
    let ordered = dropsDuplicates ? draft.entries.sorted { rank($0) < rank($1) } : draft.entries
    var hasRepeats = false
    for entry in ordered {
      guard let other = first[entry.path] else {
        first[entry.path] = entry
        continue
      }
      let lines = [other.line, entry.line].compactMap { $0 }.map(String.init).joined(separator: " and ")
      let detail = "the task lists it twice" + (lines.isEmpty ? "" : ", in lines \(lines)")
      guard dropsDuplicates else {
        throw BanyanError(
          .malformed, at: draft.origin,
          "\(entry.path) is listed twice in the task \(draft.name)"
            + (lines.isEmpty ? "" : ", in lines \(lines)"),
          remedy: "List each file once, or drop duplicates (--drop-duplicates).")
      }
      skipped.append(SkippedFile(task: draft.name, path: entry.path, reason: .duplicate, detail: detail))
      hasRepeats = true
    }
    kept.entries = hasRepeats ? keepFirst(draft.entries, first) : draft.entries
    return kept
  }

  /// The entries in their order, of each path the one in `first`.
  private func keepFirst(
    _ entries: [SourceListing.Entry], _ first: [String: SourceListing.Entry]
  ) -> [SourceListing.Entry] {
    var left = first
    return entries.filter { entry in
      guard let kept = left[entry.path], kept.line == entry.line, kept.split == entry.split, kept.label == entry.label
      else { return false }
      left[entry.path] = nil
      return true
    }
  }

  private func rank(_ entry: SourceListing.Entry) -> Int {
    entry.split.flatMap(Split.allCases.firstIndex) ?? 0
  }

  /// A class that lost all its files is named, with what became of them.
  private func checkNotEmptied(_ task: ClassificationTask, before draft: SourceListing.Draft) throws {
    guard let label = task.classCounts.firstIndex(of: 0) else { return }
    let had = draft.entries.count { $0.label == label }
    throw BanyanError(
      .missingInput, at: "task \(task.name), class \(draft.classKeys[label])",
      "no image is left: all \(had) are unreadable or duplicates", remedy: "Replace the files, or take the class out.")
  }
}
