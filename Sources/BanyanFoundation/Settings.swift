import Foundation

/// Strict settings: a file or a flag names only what differs from the defaults, and an unknown key is refused.
///
/// The defaults, encoded as JSON, are the list of what may be set; an overlay may only touch keys that are there.
public enum Settings {
  /// `defaults` with the differences of `overlay` laid over it.
  ///
  /// - Parameters:
  ///   - overlay: An object whose keys all occur in the encoded defaults.
  ///   - defaults: What holds where the overlay says nothing.
  ///   - subject: What errors call the overlay: a file's path or a flag.
  ///   - open: Dotted paths below which any key is allowed (checked elsewhere).
  /// - Throws: A ``BanyanError`` of kind `usage` that names the unknown key and its near names, or the key whose value
  ///   does not fit.
  public static func apply<Value: Codable>(
    _ overlay: JSONValue, to defaults: Value, subject: String, open: Set<String> = []
  ) throws -> Value {
    let base = try JSONValue(encoding: defaults)
    let merged = try merge(overlay, into: base, path: "", subject: subject, open: open)
    do {
      return try merged.decode(as: Value.self)
    } catch let error as DecodingError {
      let inner = JSONDocument.explain(error, subject: subject)
      // A number that does not fit, such as 1.5 for an integer, comes without its key.
      if inner.subject == subject, let (key, value) = misfit(overlay, base: base, as: Value.self, open: open) {
        throw BanyanError(.usage, at: place(subject, key), "the setting cannot be \(value)")
      }
      throw BanyanError(.usage, at: inner.subject, inner.message, remedy: inner.remedy)
    } catch EncodingError.invalidValue(let value, let context) {
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw BanyanError(.usage, at: place(subject, key), "expected a finite number, found \(value)")
    }
  }

  /// `base` with every member of `overlay` replaced or, below `open` paths, added.
  public static func merge(
    _ overlay: JSONValue, into base: JSONValue, path: String, subject: String, open: Set<String> = []
  ) throws -> JSONValue {
    if open.contains(path) { return union(base, overlay) }
    guard case .object(var members) = base else { return overlay }
    guard case .object(let changes) = overlay else {
      throw BanyanError(.usage, at: place(subject, path), "expected an object, found \(overlay.kindName)")
    }
    for (key, value) in changes.sorted(by: { $0.key < $1.key }) {
      let inner = path.isEmpty ? key : "\(path).\(key)"
      guard let old = members[key] else {
        throw BanyanError(
          .usage, at: place(subject, inner), "there is no such setting",
          remedy: NearNames.remedy(for: key, among: members.keys))
      }
      members[key] = try merge(value, into: old, path: inner, subject: subject, open: open)
    }
    return .object(members)
  }

  /// `overlay` laid over `base` where any key is allowed: objects are joined member by member, at every depth.
  private static func union(_ base: JSONValue, _ overlay: JSONValue) -> JSONValue {
    guard case .object(let members) = base, case .object(let added) = overlay else { return overlay }
    return .object(members.merging(added, uniquingKeysWith: union))
  }

  /// What of `value` differs from `defaults`, as the smallest overlay; `nil` where nothing does.
  public static func differences(of value: JSONValue, from defaults: JSONValue) -> JSONValue? {
    if value == defaults { return nil }
    guard case .object(let new) = value, case .object(let old) = defaults else { return value }
    var changed: [String: JSONValue] = [:]
    for (key, member) in new {
      if let before = old[key] {
        if let difference = differences(of: member, from: before) { changed[key] = difference }
      } else {
        changed[key] = member
      }
    }
    return changed.isEmpty ? nil : .object(changed)
  }

  /// The overlay that `key.path=value` describes; the value is read as JSON where it is JSON, as text otherwise.
  public static func overlay(assignment: String) throws -> JSONValue {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw BanyanError(
        .usage, at: "--set \(assignment)", "expected key=value", remedy: "For example --set training.epochs=20.")
    }
    let text = String(assignment[assignment.index(after: equals)...])
    let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))) ?? .string(text)
    let keys = assignment[..<equals].split(separator: ".", omittingEmptySubsequences: false)
    guard keys.allSatisfy({ !$0.isEmpty }) else {
      throw BanyanError(.usage, at: "--set \(assignment)", "a part of the key is empty")
    }
    return keys.reversed().reduce(value) { .object([String($1): $0]) }
  }

  /// The first leaf of `overlay` with which alone `base` is no `Value`.
  private static func misfit<Value: Codable>(
    _ overlay: JSONValue, base: JSONValue, as type: Value.Type, open: Set<String>
  ) -> (key: String, value: String)? {
    var found: (key: String, value: String)?
    func visit(_ value: JSONValue, _ keys: [String]) {
      if case .object(let members) = value {
        for (key, member) in members.sorted(by: { $0.key < $1.key }) where found == nil { visit(member, keys + [key]) }
        return
      }
      let alone = keys.reversed().reduce(value) { .object([$1: $0]) }
      let merged = try? merge(alone, into: base, path: "", subject: "", open: open)
      guard let merged, (try? merged.decode(as: Value.self)) == nil else { return }
      let text = (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? value.kindName
      found = (keys.joined(separator: "."), text)
    }
    visit(overlay, [])
    return found
  }

  private static func place(_ subject: String, _ path: String) -> String {
    path.isEmpty ? subject : "\(subject): \(path)"
  }
}
