import BanyanFoundation
import Foundation

extension TaskSource {
  /// The one layout that fits.
  ///
  /// A file is known by its extension. A folder is known by its contents: images one or two levels down, a CSV file
  /// with the columns `path` and `label`, JSON files with a list of lists under `train`, text files whose first line is
  /// an image's path and an integer.
  func detect() throws -> TaskFormat {
    guard isFolder else {
      switch (path as NSString).pathExtension.lowercased() {
      case "csv": return .csv
      case "json": return .coopJSON
      case "txt", "lst", "list": return .lists
      default: throw BanyanError(.malformed, at: path, "no layout of tasks fits this file", remedy: advice)
      }
    }
    var fitting: [TaskFormat] = []
    if try FolderReader.fits(folder) { fitting.append(.folders) }
    if try files("csv").contains(where: { CSVReader.fits(head(of: $0)) }) { fitting.append(.csv) }
    if try files("json").contains(where: { CoOpSplitReader.fits(head(of: $0)) }) { fitting.append(.coopJSON) }
    if try files("txt").contains(where: { ListFileReader.fits(head(of: $0)) }) { fitting.append(.lists) }
    guard let first = fitting.first else {
      let isEmpty = try FolderListing(folder.folder).isEmpty
      throw BanyanError(
        isEmpty ? .missingInput : .malformed, at: path,
        isEmpty ? "there are no images, the folder is empty" : "there are no images, and no layout of tasks fits",
        remedy: advice)
    }
    guard fitting.count == 1 else {
      throw BanyanError(
        .usage, at: path, "more than one layout of tasks fits: \(fitting.map(\.rawValue).joined(separator: ", "))",
        remedy: "Say which format to read, or give the path of the file itself.")
    }
    return first
  }

  private var advice: String { TaskFormat.overview + "." }

  /// The first bytes of a file in the folder; empty where it cannot be read, since the reader will say so.
  private func head(of name: String) -> String {
    guard let handle = try? FileHandle(forReadingFrom: folder.url(name)) else { return "" }
    defer { try? handle.close() }
    return String(decoding: (try? handle.read(upToCount: 4096)) ?? Data(), as: UTF8.self)
  }
}
