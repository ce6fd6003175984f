import BanyanFoundation
import Foundation

/// Reads a table with the columns `path`, `caption` and optionally `split`, in any order; further columns are attributes.
struct CaptionTableReader {
  let path: String

  private static let required = ["path", "caption"]
  private static let own = required + ["split"]

  func read() throws -> CaptionedPictures {
    let table = try CSVTable(AtomicFile.read(URL(fileURLWithPath: path)), subject: path)
    guard let header = table.records.first else {
      throw BanyanError(
        .malformed, at: path, "expected a header with the columns path and caption, found nothing",
        remedy: CaptionSource.overview)
    }
    let names = try columns(header)
    let folder = SourcePath(folder: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    var collection = CaptionCollection(root: folder, subject: path)
    for record in table.records.dropFirst() { try collection.add(row(record, names)) }
    return try collection.finished(attributes: names.filter { !Self.own.contains($0) })
  }

  private func row(_ record: CSVTable.Record, _ names: [String]) throws -> CaptionCollection.Row {
    let place = "\(path), line \(record.line)"
    guard record.fields.count == names.count else {
      throw BanyanError(
        .malformed, at: place, "expected \(names.count) fields, found \(record.fields.count)",
        remedy: "Put a field that holds a comma in quotes.")
    }
    var row = CaptionCollection.Row(place: place, path: "", captions: [])
    for (name, field) in zip(names, record.fields) {
      let text = CSVReader.trimmed(field)
      guard !text.isEmpty || !Self.required.contains(name) else {
        throw BanyanError(
          .malformed, at: place, "the column \(name) is empty", remedy: "Fill it in, or take the line out.")
      }
      switch name {
      case "path": row.path = text
      case "caption": row.captions = [text]
      case "split": row.split = try Split(captionSource: text, at: place)
      default: if !text.isEmpty { row.attributes[name] = text }
      }
    }
    return row
  }

  /// The names of the columns: those of the layout in lower case, an attribute's as it is written.
  private func columns(_ header: CSVTable.Record) throws -> [String] {
    let place = "\(path), line \(header.line)"
    let names = header.fields.map { field in
      let name = field.trimmingCharacters(in: .whitespaces)
      return Self.own.contains(name.lowercased()) ? name.lowercased() : name
    }
    for name in Self.required where !names.contains(name) {
      throw BanyanError(
        .malformed, at: place, "the column \(name) is missing",
        remedy: "Begin with the line path,caption,split; the last may be left out, further columns are attributes.")
    }
    for (index, name) in names.enumerated() {
      guard !name.isEmpty, !names[..<index].contains(name) else {
        throw BanyanError(
          .malformed, at: place,
          name.isEmpty ? "column \(index + 1) has no name" : "the column \(name) occurs twice")
      }
    }
    return names
  }
}
