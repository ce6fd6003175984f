import BanyanFoundation
import Foundation

/// Reads a table with the columns `path`, `label` and optionally `task` and `split`, in any order.
///
/// A label is the class's name as it is called in prompts; classes are sorted by name. Without a `task` column there is
/// one task, named after the file. Paths are relative to the file's folder or the image root. A folder is read through
/// the one CSV file in it.
struct CSVReader {
  let source: TaskSource

  private static let columns = ["path", "label", "task", "split"]

  /// Whether a file that begins with `head` has the two columns that are needed.
  static func fits(_ head: String) -> Bool {
    let line = head.drop { $0 == "\u{FEFF}" }.prefix { !$0.isNewline }
    let names = line.split(separator: ",").map(columnName)
    return names.contains("path") && names.contains("label")
  }

  /// The text without blanks at its ends; most have none, and are not copied.
  static func trimmed(_ text: String) -> String {
    let isPlain = { (byte: UInt8?) in byte.map { $0 > 0x20 && $0 < 0x80 } ?? true }
    if isPlain(text.utf8.first) && isPlain(text.utf8.last) { return text }
    return text.trimmingCharacters(in: .whitespaces)
  }

  private static func columnName(_ text: some StringProtocol) -> String {
    text.trimmingCharacters(in: CharacterSet(charactersIn: " \t\"")).lowercased()
  }

  func read() throws -> SourceListing {
    let path = try file()
    let table = try CSVTable(AtomicFile.read(URL(fileURLWithPath: path)), subject: path)
    guard let header = table.records.first else {
      throw BanyanError(.malformed, at: path, "expected a header with the columns path and label, found nothing")
    }
    let place = try columnPlaces(header, path)
    let root = source.imageRoot
    let fallback = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    var rows: [String: [(entry: SourceListing.Entry, label: String)]] = [:]
    for record in table.records.dropFirst() {
      let at = "\(path), line \(record.line)"
      guard record.fields.count == header.fields.count else {
        throw BanyanError(
          .malformed, at: at, "expected \(header.fields.count) fields, found \(record.fields.count)",
          remedy: "Put a field that holds a comma in quotes.")
      }
      func text(_ column: String) throws -> String? {
        guard let index = place[column] else { return nil }
        let value = CSVReader.trimmed(record.fields[index])
        guard !value.isEmpty || column == "split" else {
          throw BanyanError(.malformed, at: at, "the column \(column) is empty")
        }
        return value
      }
      guard let file = try text("path"), let label = try text("label") else { continue }
      var split: Split?
      if let word = try text("split"), !word.isEmpty {
        split = Split(word: word)
        guard split != nil else {
          throw BanyanError(
            .malformed, at: at, "expected train, validation or test as the split, found \(word)",
            remedy: NearNames.remedy(for: word, among: Split.allCases.map(\.rawValue)))
        }
      }
      let entry = SourceListing.Entry(path: root.normal(file), label: 0, split: split, line: record.line)
      rows[try text("task") ?? fallback, default: []].append((entry, label))
    }
    guard !rows.isEmpty else {
      throw BanyanError(.missingInput, at: path, "there are no images, the table has no rows")
    }
    let names = rows.keys.sorted()
    let wanted = try source.selected(names)
    let drafts = names.filter(wanted.contains).map { draft(task: $0, rows: rows[$0] ?? [], origin: path) }
    return SourceListing(root: root, available: names, tasks: drafts)
  }

  private func draft(
    task: String, rows: [(entry: SourceListing.Entry, label: String)], origin: String
  ) -> SourceListing.Draft {
    let keys = Set(rows.map(\.label)).sorted()
    let labels = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
    let entries = rows.map { row in
      var entry = row.entry
      entry.label = labels[row.label] ?? 0
      return entry
    }
    return SourceListing.Draft(name: task, classKeys: keys, classNames: keys, entries: entries, origin: origin)
  }

  /// Where each column stands.
  private func columnPlaces(_ header: CSVTable.Record, _ path: String) throws -> [String: Int] {
    var place: [String: Int] = [:]
    for (index, field) in header.fields.enumerated() {
      let name = CSVReader.columnName(field)
      guard CSVReader.columns.contains(name) else {
        throw BanyanError(
          .malformed, at: "\(path), line \(header.line)", "there is no column \(name) in this layout",
          remedy: NearNames.remedy(for: name, among: CSVReader.columns))
      }
      guard place.updateValue(index, forKey: name) == nil else {
        throw BanyanError(.malformed, at: "\(path), line \(header.line)", "the column \(name) occurs twice")
      }
    }
    for name in ["path", "label"] where place[name] == nil {
      throw BanyanError(
        .malformed, at: "\(path), line \(header.line)", "the column \(name) is missing",
        remedy: "Begin with the line path,label,task,split; the last two may be left out.")
    }
    return place
  }

  private func file() throws -> String {
    guard source.isFolder else { return source.path }
    let names = try source.files("csv")
    guard let name = names.first, names.count == 1 else {
      throw BanyanError(
        .usage, at: source.path, "expected one CSV file in the folder, found \(names.count)",
        remedy: "Give the path of the file itself.")
    }
    return source.folder.absolute(name)
  }
}
