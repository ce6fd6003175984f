import BanyanFoundation
import Foundation

/// Typed reading of `preprocessor_config.json`, with errors that name the key.
struct PreprocessorReader {
  private let members: [String: JSONValue]
  private let subject: String

  init(_ configuration: JSONValue, subject: String) throws {
    guard let members = configuration.objectValue else {
      throw BanyanError(.malformed, at: subject, "expected an object, found \(configuration.kindName)")
    }
    self.members = members.filter { $0.value != .null }
    self.subject = subject
  }

  var keys: [String] { members.keys.sorted() }

  func error(_ key: String, _ message: String, remedy: String = "") -> BanyanError {
    BanyanError(.malformed, at: "\(subject): \(key)", message, remedy: remedy)
  }

  func text(_ key: String) throws -> String? {
    guard let value = members[key] else { return nil }
    guard let text = value.stringValue else { throw error(key, "expected a text, found \(value.kindName)") }
    return text
  }

  func flag(_ key: String, default standard: Bool = true) throws -> Bool {
    guard let value = members[key] else { return standard }
    guard let flag = value.boolValue else { throw error(key, "expected true or false, found \(value.kindName)") }
    return flag
  }

  func resizing() throws -> ImagePreprocessor.Resizing {
    guard let value = members["size"] else { return .shortestEdge(224) }
    guard let object = value.objectValue else {
      let edge = try side(value, "size")
      return try flag("use_square_size", default: false) || flag("default_to_square", default: false)
        ? .exact(height: edge, width: edge) : .shortestEdge(edge)
    }
    let sides = object.filter { $0.value != .null }
    switch Set(sides.keys) {
    case ["shortest_edge"]:
      let edge = try side(sides["shortest_edge"], "size.shortest_edge")
      return try flag("use_square_size", default: false) ? .exact(height: edge, width: edge) : .shortestEdge(edge)
    case ["height", "width"]:
      return .exact(height: try side(sides["height"], "size.height"), width: try side(sides["width"], "size.width"))
    default:
      throw error("size", "expected shortest_edge, or height and width, found \(Self.list(sides.keys))")
    }
  }

  func cropSize() throws -> (height: Int, width: Int) {
    guard let value = members["crop_size"] else { return (224, 224) }
    guard let object = value.objectValue else {
      let edge = try side(value, "crop_size")
      return (edge, edge)
    }
    let sides = object.filter { $0.value != .null }
    guard Set(sides.keys) == ["height", "width"] else {
      throw error("crop_size", "expected height and width, found \(Self.list(sides.keys))")
    }
    return (try side(sides["height"], "crop_size.height"), try side(sides["width"], "crop_size.width"))
  }

  func filter() throws -> ResamplingFilter {
    guard let value = members["resample"] else { return .bicubic }
    guard let code = value.intValue else {
      throw error("resample", "expected a filter code of 0 to 5, found \(value.kindName)")
    }
    return try ResamplingFilter(code: code, subject: "\(subject): resample")
  }

  func rescaleFactor() throws -> Double {
    guard let value = members["rescale_factor"] else { return 1 / 255 }
    guard let factor = value.doubleValue, Self.isUsable(factor), factor > 0 else {
      throw error("rescale_factor", "expected a positive number, found \(Self.shown(value))")
    }
    return factor
  }

  func channels(_ key: String, default standard: [Double], positive: Bool) throws -> [Double] {
    guard let value = members[key] else { return standard }
    if let same = value.doubleValue {
      return try channels(key, [same, same, same], positive: positive)
    }
    guard let list = value.arrayValue, list.count == 3 else {
      throw error(key, "expected three numbers, found \(value.arrayValue.map { "\($0.count)" } ?? value.kindName)")
    }
    let numbers = list.compactMap(\.doubleValue)
    guard numbers.count == 3 else { throw error(key, "expected three numbers, found another kind of value") }
    return try channels(key, numbers, positive: positive)
  }

  private func channels(_ key: String, _ values: [Double], positive: Bool) throws -> [Double] {
    for value in values where !Self.isUsable(value) || (positive && value <= 0) {
      throw error(key, "expected three \(positive ? "positive " : "")numbers, found \(value)")
    }
    return values
  }

  private func side(_ value: JSONValue?, _ key: String) throws -> Int {
    guard let value, let side = value.intValue, (1...ImagePreprocessor.sideLimit).contains(side) else {
      let found = value.map(Self.shown) ?? "nothing"
      throw error(key, "expected a side of 1 to \(ImagePreprocessor.sideLimit) pixels, found \(found)")
    }
    return side
  }

  /// Planes are single precision; a setting that is zero or infinite there, but for a true zero, cannot be meant.
  private static func isUsable(_ value: Double) -> Bool {
    value == 0 || (Float(value).isFinite && Float(value) != 0)
  }

  private static func shown(_ value: JSONValue) -> String {
    value.doubleValue.map { "\($0)" } ?? value.kindName
  }

  private static func list(_ keys: some Collection<String>) -> String {
    keys.isEmpty ? "neither" : keys.sorted().joined(separator: ", ")
  }
}
