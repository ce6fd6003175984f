import BanyanFoundation
import BanyanTasks

/// One attribute of the pictures as a classification: its values in sorted order, and each picture's.
struct AttributeLabels: Sendable {
  /// The most values that an attribute may have unless it is asked for by name; more are names of pictures, not classes.
  private static let valueLimit = 256

  let name: String
  let values: [String]
  /// The index of each picture's value; `nil` where it is empty.
  let labels: [Int?]

  init(_ name: String, _ pictures: [CaptionedPicture]) {
    self.name = name
    let texts = pictures.map { $0.attributes[name].flatMap { $0.isEmpty ? nil : $0 } }
    values = Set(texts.compactMap(\.self)).sorted()
    let indices = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
    labels = texts.map { $0.flatMap { indices[$0] } }
  }

  /// The attributes that the warm-up learns.
  ///
  /// - Parameter wanted: Names, or none for all that have 2 to 256 values.
  /// - Throws: A `BanyanError` of kind `usage` for a name that the source has not, or that tells nothing apart.
  static func chosen(
    _ wanted: [String], among known: [String], of pictures: [CaptionedPicture]
  ) throws -> [AttributeLabels] {
    guard !wanted.isEmpty else {
      return known.map { AttributeLabels($0, pictures) }.filter { (2...valueLimit).contains($0.values.count) }
    }
    return try wanted.map { name in
      guard known.contains(name) else {
        throw BanyanError(
          .usage, at: "warmup.attributes: \(name)", "the pictures have no such attribute",
          remedy: known.isEmpty
            ? "Add a column of that name to the CSV." : NearNames.remedy(for: name, among: known))
      }
      let labels = AttributeLabels(name, pictures)
      guard labels.values.count >= 2 else {
        throw BanyanError(
          .usage, at: "warmup.attributes: \(name)", "expected at least 2 values, found \(labels.values.count)",
          remedy: "Leave the attribute out.")
      }
      return labels
    }
  }
}
