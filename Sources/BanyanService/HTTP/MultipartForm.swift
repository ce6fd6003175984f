package import Foundation
import HTTPTypes

/// The parts of a `multipart/form-data` body.
///
/// RFC 7578 over RFC 2046: parts stand between lines of the boundary, each with header fields, a blank line and bytes.
package struct MultipartForm {
  /// One part.
  package struct Part: Equatable {
    /// The field's name.
    package var name: String
    /// The file's name, where the part is a file.
    package var fileName: String?
    /// What was sent.
    package var data: Data
  }

  package let parts: [Part]

  /// Takes a body apart.
  ///
  /// - Parameters:
  ///   - body: The whole body.
  ///   - contentType: The request's content type, which names the boundary.
  ///   - limit: The most parts.
  /// - Throws: A ``ServiceError`` with status 400 that says what is missing.
  package init(_ body: Data, contentType: String, limit: Int) throws {
    guard let boundary = HeaderParameters(contentType)["boundary"], (1...70).contains(boundary.utf8.count) else {
      throw ServiceError(.badRequest, "expected a boundary of 1 to 70 characters in the content type of the form")
    }
    let mark = Data("--\(boundary)".utf8)
    // The body as if a line had ended before it, so that the first boundary is like all others.
    var rest = (Data("\r\n".utf8) + body)[...]
    let line = Data("\r\n".utf8) + mark
    guard let first = rest.range(of: line) else { throw ServiceError(.badRequest, "the form has no boundary") }
    rest = rest[first.upperBound...]
    var parts: [Part] = []
    while true {
      // "--" after a boundary ends the form; else the rest of its line is blank.
      if rest.starts(with: Data("--".utf8)) { break }
      guard let end = rest.range(of: Data("\r\n".utf8)),
        rest[rest.startIndex..<end.lowerBound].allSatisfy({ $0 == 0x20 || $0 == 0x09 })
      else { throw ServiceError(.badRequest, "the form has a damaged boundary") }
      rest = rest[end.upperBound...]
      guard let next = rest.range(of: line) else { throw ServiceError(.badRequest, "the form does not end") }
      guard parts.count < limit else { throw ServiceError(.contentTooLarge, "expected at most \(limit) parts") }
      parts.append(try Self.part(rest[rest.startIndex..<next.lowerBound]))
      rest = rest[next.upperBound...]
    }
    self.parts = parts
  }

  private static func part(_ bytes: Data) throws -> Part {
    // Without header fields the blank line stands first.
    let blank = bytes.range(of: Data("\r\n\r\n".utf8))
    let isBare = bytes.starts(with: Data("\r\n".utf8))
    guard isBare || blank != nil else { throw ServiceError(.badRequest, "a part of the form has no blank line") }
    let headEnd = isBare ? bytes.startIndex : blank?.lowerBound ?? bytes.startIndex
    let bodyStart = isBare ? bytes.startIndex + 2 : blank?.upperBound ?? bytes.endIndex
    guard headEnd - bytes.startIndex <= 16_384 else { throw ServiceError(.badRequest, "a part's header is too long") }
    let head = String(decoding: bytes[bytes.startIndex..<headEnd], as: UTF8.self)
    var disposition: HeaderParameters?
    for field in head.components(separatedBy: "\r\n") {
      guard let colon = field.firstIndex(of: ":") else { continue }
      if field[..<colon].lowercased() == "content-disposition" {
        disposition = HeaderParameters(String(field[field.index(after: colon)...]))
      }
    }
    guard let disposition, disposition.value == "form-data", let name = disposition["name"] else {
      throw ServiceError(.badRequest, "a part of the form has no name")
    }
    return Part(name: name, fileName: disposition["filename"], data: Data(bytes[bodyStart...]))
  }
}

/// A header value with parameters: `form-data; name="a"; filename="b.jpg"`.
struct HeaderParameters {
  /// What stands before the first semicolon, in lower case.
  let value: String
  private let parameters: [String: String]

  init(_ text: String) {
    var pieces: [String] = [""]
    var isQuoted = false
    var isEscaped = false
    for character in text {
      if isEscaped {
        pieces[pieces.count - 1].append(character)
        isEscaped = false
      } else if isQuoted, character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if character == ";", !isQuoted {
        pieces.append("")
      } else {
        pieces[pieces.count - 1].append(character)
      }
    }
    let trimmed = pieces.map { $0.trimmingCharacters(in: .whitespaces) }
    value = (trimmed.first ?? "").lowercased()
    var parameters: [String: String] = [:]
    for piece in trimmed.dropFirst() {
      guard let equals = piece.firstIndex(of: "=") else { continue }
      let key = piece[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
      parameters[key] = String(piece[piece.index(after: equals)...])
    }
    self.parameters = parameters
  }

  /// The parameter called `name`.
  subscript(name: String) -> String? { parameters[name] }
}
