public import Foundation

/// Reading and writing of JSON files with errors that name the file and the key.
public enum JSONDocument {
  /// The encoder of every file: sorted keys and indentation, so that equal values are equal bytes.
  public static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// The bytes of `value` as a text file.
  ///
  /// - Throws: A ``BanyanError`` where the value holds what JSON cannot (NaN, infinity).
  public static func data(_ value: some Encodable, subject: String) throws -> Data {
    do {
      var data = try encoder.encode(value)
      data.append(0x0A)
      return data
    } catch {
      throw BanyanError(.failed, at: subject, "cannot be written as JSON: \(error)")
    }
  }

  /// Writes `value` to `url`, whole or not at all.
  ///
  /// - Parameters:
  ///   - value: What is written.
  ///   - url: Where the file goes.
  ///   - sealed: Whether a last key `seal`, the digest of the file without it, is to show damage; of objects only.
  public static func write(_ value: some Encodable, to url: URL, sealed: Bool = false) throws {
    let text = try data(value, subject: url.path)
    try AtomicFile.write(sealed ? JSONSeal.added(to: text) : text, to: url)
  }

  /// Reads a value from the file at `url`; a seal that is there is checked.
  ///
  /// - Parameters:
  ///   - type: What is read.
  ///   - url: The file.
  ///   - sealed: Whether a file without a seal is refused.
  /// - Throws: A ``BanyanError`` of kind `missingInput` where there is no such file, `malformed` with the key where the
  ///   contents do not fit, or do not fit their seal.
  public static func read<Value: Decodable>(
    _ type: Value.Type = Value.self, from url: URL, sealed: Bool = false
  ) throws -> Value {
    let (contents, seal) = try JSONSeal.opened(AtomicFile.read(url))
    guard seal ?? !sealed else {
      throw BanyanError(
        .malformed, at: url.path, "the contents do not fit the file's checksum",
        remedy: "Restore the file, or remove it to have its part done again.")
    }
    return try decode(type, from: contents, subject: url.path)
  }

  /// Decodes a value from `data`; `subject` names where the bytes came from.
  public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data, subject: String) throws
    -> Value
  {
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let error as DecodingError {
      throw explain(error, subject: subject)
    } catch let error as BanyanError {
      throw error
    } catch {
      throw BanyanError(.malformed, at: subject, "\(error)")
    }
  }

  /// Says in one line which key of `subject` does not fit, and why.
  static func explain(_ error: DecodingError, subject: String) -> BanyanError {
    func place(_ path: [any CodingKey]) -> String {
      let keys = path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      return keys.isEmpty ? subject : "\(subject): \(keys.joined(separator: "."))"
    }
    switch error {
    case .keyNotFound(let key, let context):
      return BanyanError(.malformed, at: place(context.codingPath + [key]), "the key is missing")
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return BanyanError(.malformed, at: place(context.codingPath), context.debugDescription)
    case .dataCorrupted(let context):
      if let inner = context.underlyingError as? BanyanError { return inner }
      let detail = (context.underlyingError as? NSError)?.userInfo["NSDebugDescription"] as? String
      return BanyanError(.malformed, at: place(context.codingPath), detail ?? context.debugDescription)
    @unknown default:
      return BanyanError(.malformed, at: subject, "\(error)")
    }
  }
}
