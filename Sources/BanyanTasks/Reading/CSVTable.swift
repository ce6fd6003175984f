import BanyanFoundation
import Foundation

/// The records of a CSV file by RFC 4180: quoted fields, doubled quotes, line breaks inside quotes; LF or CRLF; a byte
/// order mark is passed over, and so are empty lines.
struct CSVTable {
  /// One record and the line it starts on, counted from 1.
  struct Record {
    var line: Int
    var fields: [String]
  }

  private(set) var records: [Record] = []

  init(_ data: Data, subject: String) throws {
    var bytes = [UInt8](data)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw BanyanError(.malformed, at: subject, "expected UTF-8 text, found other bytes", remedy: "Save it as UTF-8.")
    }
    var at = 0
    var line = 1
    while at < bytes.count {
      var record = Record(line: line, fields: [])
      repeat {
        record.fields.append(try CSVTable.field(bytes, &at, &line, subject: subject))
      } while CSVTable.skip(UInt8(ascii: ","), bytes, &at)
      CSVTable.endLine(bytes, &at, &line)
      if record.fields != [""] { records.append(record) }
    }
  }

  private static func skip(_ byte: UInt8, _ bytes: [UInt8], _ at: inout Int) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private static func endLine(_ bytes: [UInt8], _ at: inout Int, _ line: inout Int) {
    if at < bytes.count, bytes[at] == UInt8(ascii: "\r") { at += 1 }
    if at < bytes.count, bytes[at] == UInt8(ascii: "\n") { at += 1 }
    line += 1
  }

  /// One field; `at` ends on the comma, the line's end or the file's.
  private static func field(_ bytes: [UInt8], _ at: inout Int, _ line: inout Int, subject: String) throws -> String {
    let quote = UInt8(ascii: "\"")
    var text: [UInt8] = []
    guard skip(quote, bytes, &at) else {
      while at < bytes.count, ![UInt8(ascii: ","), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(bytes[at]) {
        guard bytes[at] != quote else {
          throw BanyanError(
            .malformed, at: "\(subject), line \(line)", "a quote stands inside a field that does not begin with one",
            remedy: "Put the whole field in quotes and double the inner ones.")
        }
        text.append(bytes[at])
        at += 1
      }
      return String(decoding: text, as: UTF8.self)
    }
    let start = line
    while true {
      guard at < bytes.count else {
        throw BanyanError(.malformed, at: "\(subject), line \(start)", "a quoted field is not closed")
      }
      let byte = bytes[at]
      at += 1
      if byte == quote {
        if skip(quote, bytes, &at) { text.append(quote) } else { break }
      } else {
        if byte == UInt8(ascii: "\n") { line += 1 }
        text.append(byte)
      }
    }
    guard at == bytes.count || [UInt8(ascii: ","), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(bytes[at]) else {
      throw BanyanError(
        .malformed, at: "\(subject), line \(line)", "expected a comma or the line's end after a quoted field")
    }
    return String(decoding: text, as: UTF8.self)
  }
}
