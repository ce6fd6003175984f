import BanyanFoundation

/// Collects the class names that come with integer labels, and refuses labels that do not number them.
struct IndexedClasses {
  private var names: [Int: (name: String, at: String)] = [:]

  /// Takes one pair; `at` names its place in a file, and is only made where it is needed.
  mutating func add(_ label: Int, _ name: String, at place: @autoclosure () -> String) throws {
    if let known = names[label] {
      guard known.name == name else {
        throw BanyanError(
          .malformed, at: place(),
          "label \(label) is \(name) here, but \(known.name) at \(known.at)",
          remedy: "Give each class one label.")
      }
      return
    }
    guard label >= 0 else {
      throw BanyanError(.malformed, at: place(), "expected a label of 0 or more, found \(label)")
    }
    names[label] = (name, place())
  }

  /// The names in the order of the labels, which must be 0 ..< their count.
  func ordered() throws -> [String] {
    let labels = names.keys.sorted()
    if let last = labels.last, last >= labels.count, let entry = names[last] {
      let missing = zip(labels, labels.indices).first { $0 != $1 }?.1 ?? 0
      throw BanyanError(
        .malformed, at: entry.at,
        "label out of range: \(last) where there are \(labels.count) classes (no sample has label \(missing))",
        remedy: "Number the classes from 0 without a gap.")
    }
    return labels.compactMap { names[$0]?.name }
  }
}
