import BanyanFoundation
import Foundation

/// Reads CoOp's split files, `{"train": [[path, label, class name], …], "val": …, "test": …}`.
///
/// One file is one task, named after the file without a leading `split_zhou_`; a folder's JSON files are its tasks,
/// sorted by name. Labels are integers from 0; a class is called by its name with spaces for underscores. `val` and
/// `test` may be absent. Paths are relative to the file's folder or the image root.
struct CoOpSplitReader {
  let source: TaskSource

  /// Whether a JSON file that begins with `head` is one: an object with a list of lists for a split.
  static func fits(_ head: String) -> Bool {
    let dense = head.filter { !$0.isWhitespace }
    guard dense.first == "{" else { return false }
    return ["train", "val", "test"].contains { key in
      dense.contains("\"\(key)\":[[") || dense.contains("\"\(key)\":[]")
    }
  }

  func read() throws -> SourceListing {
    let names = source.isFolder ? try source.files("json") : [(source.path as NSString).lastPathComponent]
    guard !names.isEmpty else {
      throw BanyanError(
        .missingInput, at: source.path, "there are no JSON files in the folder", remedy: TaskFormat.overview + ".")
    }
    var files: [(task: String, path: String)] = []
    for name in names {
      let task = CoOpSplitReader.taskName(name)
      if let other = files.first(where: { $0.task == task }) {
        throw BanyanError(.malformed, at: source.folder.absolute(name), "\(other.path) is the task \(task) too")
      }
      files.append((task, source.folder.absolute(name)))
    }
    files.sort { $0.task < $1.task }
    let wanted = try source.selected(files.map(\.task))
    let drafts = try files.filter { wanted.contains($0.task) }.map { try draft(task: $0.task, path: $0.path) }
    return SourceListing(root: source.imageRoot, available: files.map(\.task), tasks: drafts)
  }

  private static func taskName(_ file: String) -> String {
    let stem = (file as NSString).deletingPathExtension
    let prefix = "split_zhou_"
    return stem.hasPrefix(prefix) && stem.count > prefix.count ? String(stem.dropFirst(prefix.count)) : stem
  }

  private func draft(task: String, path: String) throws -> SourceListing.Draft {
    let file = try JSONDocument.read(SplitFile.self, from: URL(fileURLWithPath: path))
    if let key = file.unknownKey {
      throw BanyanError(
        .malformed, at: "\(path): \(key)", "there is no such key in a split file",
        remedy: NearNames.remedy(for: key, among: ["train", "val", "test"]))
    }
    var classes = IndexedClasses()
    var entries: [SourceListing.Entry] = []
    let root = source.imageRoot
    for (key, split, rows) in [
      ("train", Split.train, file.train), ("val", .validation, file.val), ("test", .test, file.test),
    ] {
      for (index, row) in rows.enumerated() {
        try classes.add(row.label, row.name, at: "\(path): \(key)[\(index)]")
        guard !row.path.isEmpty else {
          throw BanyanError(.malformed, at: "\(path): \(key)[\(index)]", "expected a path, found an empty text")
        }
        entries.append(SourceListing.Entry(path: root.normal(row.path), label: row.label, split: split))
      }
    }
    guard !entries.isEmpty else { throw BanyanError(.missingInput, at: path, "there are no images in the split file") }
    let keys = try classes.ordered()
    return SourceListing.Draft(
      name: task, classKeys: keys, classNames: keys.map { displayName($0, hyphens: false) }, entries: entries,
      origin: path)
  }
}

/// The file as JSON has it.
private struct SplitFile: Decodable {
  struct Row: Decodable {
    var path: String
    var label: Int
    var name: String

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      path = try list.decode(String.self)
      label = try list.decode(Int.self)
      name = try list.decode(String.self)
      guard list.isAtEnd else {
        throw DecodingError.dataCorruptedError(in: list, debugDescription: "expected [path, label, class name]")
      }
    }
  }

  struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var train: [Row]
  var val: [Row]
  var test: [Row]
  var unknownKey: String?

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    unknownKey = container.allKeys.map(\.stringValue).filter { !["train", "val", "test"].contains($0) }.min()
    // The unknown key is likely the reason why `train` is missing, so it is told first.
    let isKnown = unknownKey == nil
    let train = Key(stringValue: "train")
    self.train = isKnown ? try container.decode([Row].self, forKey: train) : []
    val = isKnown ? try container.decodeIfPresent([Row].self, forKey: Key(stringValue: "val")) ?? [] : []
    test = isKnown ? try container.decodeIfPresent([Row].self, forKey: Key(stringValue: "test")) ?? [] : []
  }
}
