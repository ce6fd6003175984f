import Foundation

/// A JSON document as a value.
///
/// Unlike `[String: Any]` it is `Sendable`, `Codable` and comparable; integers stay integers, so that a seed of 64 bits
/// survives a round trip.
public enum JSONValue: Sendable, Equatable, Codable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Decodes any JSON value.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Int64.self) {
      // Numbers first: long lists are lists of numbers, and every wrong guess costs more than the value.
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// Encodes the value as itself.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  /// Encodes any value as a JSON tree.
  public init(encoding value: some Encodable) throws {
    let data = try JSONDocument.encoder.encode(value)
    self = try JSONDecoder().decode(JSONValue.self, from: data)
  }

  /// Decodes the tree as a value of type `Value`.
  public func decode<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(self))
  }

  /// The member named `key`, where this is an object that has one.
  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { return members[key] }
    return nil
  }

  /// The value at a dotted path such as `tasks.photo.top1`.
  public subscript(path path: String) -> JSONValue? {
    path.split(separator: ".").reduce(Optional(self)) { value, key in value?[String(key)] }
  }

  /// The text, where this is a string.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

  /// The members, where this is an object.
  public var objectValue: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

  /// The elements, where this is an array.
  public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

  /// The integer, where this is one or a number without a fraction.
  public var intValue: Int? {
    switch self {
    case .integer(let value): Int(exactly: value)
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number, where this is one.
  public var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The truth value, where this is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// What kind of JSON value this is, in words.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// The dotted path of the first place, in sorted order, where two documents differ; `nil` where they are equal.
  public func firstDifference(from other: JSONValue, path: String = "") -> String? {
    if self == other { return nil }
    switch (self, other) {
    case (.object(let a), .object(let b)):
      for key in Set(a.keys).union(b.keys).sorted() {
        let inner = path.isEmpty ? key : "\(path).\(key)"
        if let place = (a[key] ?? .null).firstDifference(from: b[key] ?? .null, path: inner) { return place }
      }
      return path
    case (.array(let a), .array(let b)) where a.count == b.count:
      for (index, (x, y)) in zip(a, b).enumerated() {
        if let place = x.firstDifference(from: y, path: "\(path)[\(index)]") { return place }
      }
      return path
    default: return path
    }
  }
}
