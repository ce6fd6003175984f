import BanyanFoundation
import Foundation

/// Reads list files with one `path label` a line, as for MRN's Office-Home.
///
/// The label is the integer after the last space or tab, from 0; a path may hold spaces. A class is called by the
/// folder that its paths end in, with spaces for underscores and hyphens. A folder's text files are its tasks, sorted
/// by name; ``ListFileName`` says how files are named. Paths are relative to the file's folder or the image root.
struct ListFileReader {
  let source: TaskSource

  /// Whether a file that begins with `head` is one: its first line is an image's path and an integer.
  static func fits(_ head: String) -> Bool {
    guard let line = head.utf8.split(separator: UInt8(ascii: "\n")).first, let (path, label) = cut(line) else {
      return false
    }
    return Int(label) != nil && FolderListing.kind(String(path)) != .other
  }

  /// A line's path and label as text; `nil` where there is no space between two.
  private static func cut(_ line: Substring.UTF8View) -> (path: Substring, label: Substring)? {
    var line = line.drop(while: isBlank)
    while let last = line.last, isBlank(last) { line.removeLast() }
    guard let space = line.lastIndex(where: isBlank) else { return nil }
    var path = line[..<space]
    while let last = path.last, isBlank(last) { path.removeLast() }
    return path.isEmpty ? nil : (Substring(path), Substring(line[line.index(after: space)...]))
  }

  /// A space, a tab, or the carriage return that some systems end lines with.
  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  func read() throws -> SourceListing {
    let files = source.isFolder ? try source.files("txt") : [(source.path as NSString).lastPathComponent]
    var lists: [String: [(file: String, name: ListFileName)]] = [:]
    for file in files {
      let name = ListFileName(file)
      lists[name.task, default: []].append((file, name))
    }
    guard !lists.isEmpty else {
      throw BanyanError(
        .missingInput, at: source.path, "there are no list files (.txt) in the folder",
        remedy: TaskFormat.overview + ".")
    }
    let names = lists.keys.sorted()
    let wanted = try source.selected(names)
    let drafts = try names.filter(wanted.contains).map { task in
      try draft(task: task, lists: try choice(task: task, among: lists[task] ?? []))
    }
    return SourceListing(root: source.imageRoot, available: names, tasks: drafts)
  }

  /// The files of one percentage, and one file a split.
  private func choice(
    task: String, among lists: [(file: String, name: ListFileName)]
  ) throws -> [(file: String, name: ListFileName)] {
    let percentages = Set(lists.compactMap(\.name.percentage)).sorted()
    var chosen = lists
    if let wanted = source.options.listPercentage {
      guard percentages.contains(wanted) else {
        throw BanyanError(
          .usage, at: "task \(task)", "there is no list of \(wanted) percent",
          remedy: percentages.isEmpty
            ? "Leave the percentage out." : "There are \(percentages.map(String.init).joined(separator: ", ")).")
      }
      chosen = lists.filter { $0.name.percentage == nil || $0.name.percentage == wanted }
    } else if percentages.count > 1 {
      throw BanyanError(
        .usage, at: "task \(task)",
        "there are lists of \(percentages.map(String.init).joined(separator: ", ")) percent",
        remedy: "Say which percentage to read (--set data.listPercentage=…).")
    }
    // `Art.txt` beside `Art_train.txt` and `Art_test.txt` is the list of all, and says nothing more.
    let withSplit = chosen.filter { $0.name.split != nil }
    if !withSplit.isEmpty { chosen = withSplit }
    for (index, list) in chosen.enumerated() {
      if let other = chosen[..<index].first(where: { $0.name.split == list.name.split }) {
        throw BanyanError(
          .malformed, at: source.folder.absolute(list.file),
          "\(other.file) is the same split of the task \(task)", remedy: "Keep one of the two.")
      }
    }
    return chosen
  }

  private func draft(task: String, lists: [(file: String, name: ListFileName)]) throws -> SourceListing.Draft {
    var classes = IndexedClasses()
    var entries: [SourceListing.Entry] = []
    for list in lists {
      try read(list.file, split: list.name.split, classes: &classes, entries: &entries)
    }
    let origin = source.folder.absolute(lists.first?.file ?? "")
    guard !entries.isEmpty else { throw BanyanError(.missingInput, at: origin, "there are no images in the list") }
    let keys = try classes.ordered()
    return SourceListing.Draft(
      name: task, classKeys: keys, classNames: keys.map { displayName($0) }, entries: entries, origin: origin)
  }

  private func read(
    _ file: String, split: Split?, classes: inout IndexedClasses, entries: inout [SourceListing.Entry]
  ) throws {
    let path = source.folder.absolute(file)
    let root = source.imageRoot
    guard var text = String(validating: try AtomicFile.read(URL(fileURLWithPath: path)), as: UTF8.self) else {
      throw BanyanError(.malformed, at: path, "expected UTF-8 text, found other bytes", remedy: "Save it as UTF-8.")
    }
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      guard !line.allSatisfy(ListFileReader.isBlank) else { continue }
      let at = { "\(path), line \(index + 1)" }
      guard let (image, digits) = ListFileReader.cut(line), let label = Int(digits) else {
        throw BanyanError(
          .malformed, at: at(), "expected a path and an integer label, found \(Substring(line).prefix(200))",
          remedy: "Take files that are no lists out of the folder, or give the list's own path.")
      }
      let parts = image.utf8.split(separator: UInt8(ascii: "/"))
      guard parts.count > 1 else {
        throw BanyanError(
          .malformed, at: at(), "expected <class>/<image>, found \(image): the class's name is the folder's")
      }
      try classes.add(label, String(Substring(parts[parts.count - 2])), at: at())
      entries.append(
        SourceListing.Entry(path: root.normal(String(image)), label: label, split: split, line: index + 1))
    }
  }
}
