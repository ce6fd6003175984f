import BanyanFoundation

/// Which parameters are trained, as a value that can be printed and tested.
///
/// Rules are read in order and the first that matches a path decides. Unlike flags on tensors, a selection must cover
/// every path: one that no rule mentions is refused, so that nothing is trained or frozen by accident.
public struct ParameterSelection: Sendable, Equatable, Codable {
  /// What happens to the parameters of a rule.
  public enum Role: String, Sendable, Codable { case trainable, frozen }

  /// A pattern over dotted paths: `*` stands for one part, `**` for any number of parts.
  public struct Rule: Sendable, Equatable, Codable {
    /// The pattern.
    public var pattern: String
    /// What happens to the parameters that it matches.
    public var role: Role

    /// Creates a rule.
    public init(_ pattern: String, _ role: Role) {
      self.pattern = pattern
      self.role = role
    }

    /// Whether the pattern matches all of `path`.
    public func matches(_ path: String) -> Bool {
      // An empty part is a part: `a..b` is not `a.b`.
      Self.match(
        pattern.split(separator: ".", omittingEmptySubsequences: false)[...],
        path.split(separator: ".", omittingEmptySubsequences: false)[...])
    }

    private static func match(_ pattern: ArraySlice<Substring>, _ path: ArraySlice<Substring>) -> Bool {
      guard let first = pattern.first else { return path.isEmpty }
      let rest = pattern.dropFirst()
      if first == "**" {
        return (0...path.count).contains { match(rest, path.dropFirst($0)) }
      }
      guard let head = path.first, first == "*" || first == head else { return false }
      return match(rest, path.dropFirst())
    }
  }

  /// The rules, the first match wins.
  public var rules: [Rule]

  /// Creates a selection.
  public init(_ rules: [Rule]) { self.rules = rules }

  /// The tree in two: what is trained and what stays as it is.
  ///
  /// - Throws: A `BanyanError` that lists the paths no rule covers.
  public func split(_ tree: ParameterTree) throws -> (trainable: ParameterTree, frozen: ParameterTree) {
    var trainable = ParameterTree()
    var frozen = ParameterTree()
    var uncovered: [String] = []
    for path in tree.paths {
      switch rules.first(where: { $0.matches(path) })?.role {
      case .trainable: trainable[path] = tree[path]
      case .frozen: frozen[path] = tree[path]
      case nil: uncovered.append(path)
      }
    }
    guard uncovered.isEmpty else {
      throw BanyanError(
        .failed, at: "parameter selection",
        "no rule covers \(uncovered.count) of \(tree.count) parameters: \(uncovered.prefix(8).joined(separator: ", "))",
        remedy: "Add a rule that says whether they are trainable or frozen.")
    }
    return (trainable, frozen)
  }
}
