import BanyanFoundation
import Foundation

/// A source of captioned pictures on the disk, and the reader for its layout.
struct CaptionSource {
  private static let tableName = "captions.csv"
  private static let linesName = "metadata.jsonl"

  /// The layouts, for messages.
  static let overview = """
    Captions are read from a CSV file with the columns path,caption, from a .jsonl file with file_name and text on each \
    line, or from a folder: with captions.csv, with metadata.jsonl, or with a .txt beside each picture.
    """

  private let path: String
  private let isFolder: Bool

  init(path: String) throws {
    var isFolder: ObjCBool = false
    guard !path.isEmpty, FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw BanyanError(
        .missingInput, at: path, "expected a folder or file of captioned pictures, found nothing",
        remedy: "Check the path.")
    }
    self.path = path
    self.isFolder = isFolder.boolValue
  }

  /// Reads the source with the reader of its layout.
  func read() throws -> CaptionedPictures {
    guard isFolder else { return try read(file: path) }
    let folder = SourcePath(folder: path)
    let names = try FolderListing(folder.folder).others
    let files = [Self.tableName, Self.linesName].filter(names.contains)
    guard files.count < 2 else {
      throw BanyanError(
        .usage, at: path, "expected one file of captions, found \(files.joined(separator: " and "))",
        remedy: "Give the path of the file itself.")
    }
    if let file = files.first { return try read(file: folder.absolute(file)) }
    return try CaptionFolderReader(folder: folder).read()
  }

  private func read(file: String) throws -> CaptionedPictures {
    switch (file as NSString).pathExtension.lowercased() {
    case "csv": try CaptionTableReader(path: file).read()
    case "jsonl": try CaptionLinesReader(path: file).read()
    default:
      throw BanyanError(.malformed, at: file, "no layout of captions fits this file", remedy: Self.overview)
    }
  }
}
