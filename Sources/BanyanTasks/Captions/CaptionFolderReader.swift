import BanyanFoundation
import Foundation

/// Reads pictures that each have a `.txt` of the same name beside them, at any depth, in the order of their paths.
///
/// Each line that is not blank is a caption. Hidden files are left out; a folder that links lead to again is read once.
struct CaptionFolderReader {
  let folder: SourcePath

  private struct Found {
    var pictures: [String] = []
    var bare: [String] = []
    var visited: Set<String> = []
  }

  func read() throws -> CaptionedPictures {
    var found = Found()
    try search("", &found)
    guard found.bare.isEmpty else {
      throw BanyanError(
        .missingInput, at: folder.folder,
        "\(found.bare.count) pictures have no .txt of the same name beside them: "
          + CaptionCollection.list(found.bare.sorted()),
        remedy: "Add the files, one caption a line, or take the pictures out.")
    }
    var collection = CaptionCollection(root: folder, subject: folder.folder)
    for path in found.pictures.sorted() { try collection.add(row(path)) }
    return try collection.finished(attributes: [])
  }

  /// Looks through `below` (empty for the root) and the folders in it.
  private func search(_ below: String, _ found: inout Found) throws {
    let place = folder.absolute(below)
    guard found.visited.insert(URL(fileURLWithPath: place).resolvingSymlinksInPath().path).inserted else { return }
    let listing = try FolderListing(place)
    let others = Set(listing.others)
    let prefix = below.isEmpty ? "" : below + "/"
    for image in listing.images {
      if others.contains(Self.captionName(image)) {
        found.pictures.append(prefix + image)
      } else {
        found.bare.append(prefix + image)
      }
    }
    for inner in listing.folders { try search(prefix + inner, &found) }
  }

  private func row(_ path: String) throws -> CaptionCollection.Row {
    let place = folder.absolute(Self.captionName(path))
    guard let text = String(validating: try AtomicFile.read(URL(fileURLWithPath: place)), as: UTF8.self) else {
      throw BanyanError(.malformed, at: place, "expected UTF-8 text, found other bytes", remedy: "Save it as UTF-8.")
    }
    let captions = text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    guard !captions.isEmpty else {
      throw BanyanError(
        .malformed, at: place, "expected a caption, found a blank file", remedy: "Write one caption a line.")
    }
    return CaptionCollection.Row(place: place, path: path, captions: captions)
  }

  private static func captionName(_ picture: String) -> String {
    (picture as NSString).deletingPathExtension + ".txt"
  }
}
