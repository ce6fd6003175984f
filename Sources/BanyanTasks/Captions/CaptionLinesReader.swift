import BanyanFoundation
import Foundation

/// Reads JSON lines as Hugging Face's image folders have them: `{"file_name": "1.png", "text": "a red circle"}`.
///
/// `text` may be a list of captions, `split` may be there; every other key is an attribute, a text, a whole number or a
/// truth value. Lines without a key leave the attribute empty, and so does a null.
struct CaptionLinesReader {
  let path: String

  func read() throws -> CaptionedPictures {
    let data = try AtomicFile.read(URL(fileURLWithPath: path))
    guard let text = String(validating: data, as: UTF8.self) else {
      throw BanyanError(.malformed, at: path, "expected UTF-8 text, found other bytes", remedy: "Save it as UTF-8.")
    }
    let folder = SourcePath(folder: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    var collection = CaptionCollection(root: folder, subject: path)
    var names: Set<String> = []
    for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      let row = try row(Data(line), place: "\(path), line \(index + 1)")
      names.formUnion(row.attributes.keys)
      try collection.add(row)
    }
    return try collection.finished(attributes: names.sorted())
  }

  private func row(_ line: Data, place: String) throws -> CaptionCollection.Row {
    let value = try JSONDocument.decode(JSONValue.self, from: line, subject: place)
    guard let members = value.objectValue else {
      throw BanyanError(.malformed, at: place, "expected an object, found \(value.kindName)")
    }
    var row = CaptionCollection.Row(place: place, path: "", captions: [])
    for (key, value) in members.sorted(by: { $0.key < $1.key }) where value != .null {
      switch key {
      case "file_name": row.path = try words(value, key, place)
      case "text": row.captions = try (value.arrayValue ?? [value]).map { try words($0, key, place) }
      case "split":
        guard let word = value.stringValue else { throw misfit(value, "a text", key, place) }
        row.split = try Split(captionSource: word, at: place)
      default: row.attributes[key] = try attribute(value, key, place)
      }
    }
    for (key, isThere) in [("file_name", !row.path.isEmpty), ("text", !row.captions.isEmpty)] where !isThere {
      throw BanyanError(
        .malformed, at: place, "the key \(key) is missing",
        remedy: #"Write each line as {"file_name": "1.png", "text": "a caption"}."#)
    }
    return row
  }

  private func words(_ value: JSONValue, _ key: String, _ place: String) throws -> String {
    guard let text = value.stringValue?.trimmingCharacters(in: .whitespacesAndNewlines) else {
      throw misfit(value, "a text", key, place)
    }
    guard !text.isEmpty else {
      throw BanyanError(.malformed, at: place, "expected a text in \(key), found a blank one")
    }
    return text
  }

  /// `nil` where the text is blank.
  private func attribute(_ value: JSONValue, _ key: String, _ place: String) throws -> String? {
    switch value {
    case .string(let text):
      let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
      return text.isEmpty ? nil : text
    case .integer(let number): return "\(number)"
    case .bool(let flag): return "\(flag)"
    default: throw misfit(value, "a text, a whole number or a truth value", key, place)
    }
  }

  private func misfit(_ value: JSONValue, _ expected: String, _ key: String, _ place: String) -> BanyanError {
    BanyanError(.malformed, at: place, "expected \(expected) in \(key), found \(value.kindName)")
  }
}
