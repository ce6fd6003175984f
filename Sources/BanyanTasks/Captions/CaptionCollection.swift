import BanyanFoundation
import Foundation

/// Gathers the rows of a source into pictures: one for each path, with all captions of its rows.
struct CaptionCollection {
  /// One row of a source.
  struct Row {
    /// Where it stands, for errors.
    var place: String
    var path: String
    var captions: [String]
    var split: Split?
    var attributes: [String: String] = [:]
  }

  private let root: SourcePath
  private let subject: String
  private var pictures: [CaptionedPicture] = []
  private var index: [String: Int] = [:]

  /// An empty collection of pictures below `root`; `subject` names the source in errors.
  init(root: SourcePath, subject: String) {
    self.root = root
    self.subject = subject
  }

  /// Adds a row; a path that is known takes the row's captions.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where the file is no picture that is read, or where the row's split
  ///   or attributes are not those of the path's earlier rows.
  mutating func add(_ row: Row) throws {
    let path = root.normal(row.path)
    guard FolderListing.kind(path) == .image else {
      throw BanyanError(
        .malformed, at: row.place, "expected a picture (jpg, jpeg, png or webp), found \(row.path)",
        remedy: "Convert the file, or take the line out.")
    }
    guard let known = index[path] else {
      index[path] = pictures.count
      pictures.append(
        CaptionedPicture(path: path, captions: row.captions, split: row.split, attributes: row.attributes))
      return
    }
    if pictures[known].split != row.split || pictures[known].attributes != row.attributes {
      try refuse(row, after: pictures[known])
    }
    pictures[known].captions += row.captions
  }

  /// Says where a row differs from the earlier ones on its path.
  private func refuse(_ row: Row, after earlier: CaptionedPicture) throws {
    func check(_ what: String, _ first: String?, _ second: String?) throws {
      guard first != second else { return }
      throw BanyanError(
        .malformed, at: row.place,
        "expected the \(what) of the earlier lines on \(row.path), \(first ?? "none"), found \(second ?? "none")",
        remedy: "Give all lines of one picture the same \(what).")
    }
    try check("split", earlier.split?.rawValue, row.split?.rawValue)
    for name in Set(earlier.attributes.keys).union(row.attributes.keys).sorted() {
      try check(name, earlier.attributes[name], row.attributes[name])
    }
  }

  /// The set, once every file was looked for.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` where there is no picture, or that names the first few that are
  ///   absent.
  func finished(attributes: [String]) throws -> CaptionedPictures {
    guard !pictures.isEmpty else {
      throw BanyanError(.missingInput, at: subject, "there are no captioned pictures", remedy: CaptionSource.overview)
    }
    let absent = pictures.map(\.path).filter { !FileManager.default.fileExists(atPath: root.absolute($0)) }
    guard absent.isEmpty else {
      throw BanyanError(
        .missingInput, at: subject,
        "\(absent.count) of \(pictures.count) pictures are absent below \(root.folder): \(Self.list(absent))",
        remedy: "Paths start from the folder of the captions; copy the pictures there, or mend the paths.")
    }
    let distinct = pictures.map { picture in
      var picture = picture
      picture.captions = Self.distinct(picture.captions)
      return picture
    }
    return CaptionedPictures(
      root: URL(fileURLWithPath: root.folder, isDirectory: true), pictures: distinct, attributes: attributes)
  }

  /// The first few names and how many more there are.
  static func list(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }

  private static func distinct(_ captions: [String]) -> [String] {
    if captions.count < 2 { return captions }
    var seen: Set<String> = []
    return captions.filter { seen.insert($0).inserted }
  }
}
