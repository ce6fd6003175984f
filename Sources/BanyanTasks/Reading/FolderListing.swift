import BanyanFoundation
import Foundation

/// The names directly in a folder, sorted and told apart; hidden ones are left out.
///
/// Links are followed one at a time and readers go two levels down at most, so a link to a folder above ends there.
struct FolderListing {
  private(set) var folders: [String] = []
  /// Images by their extension, whether or not they can be read.
  private(set) var images: [String] = []
  /// Pictures of formats that are not read.
  private(set) var unsupported: [String] = []
  private(set) var others: [String] = []

  var files: [String] { images + unsupported + others }
  var isEmpty: Bool { folders.isEmpty && images.isEmpty && unsupported.isEmpty && others.isEmpty }

  init(_ path: String) throws {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw BanyanError(
        .missingInput, at: path, "the folder cannot be read", remedy: "Check that it exists and its permissions.")
    }
    for name in names.sorted() where !name.hasPrefix(".") {
      // An image's name needs no look at the disk; a folder that is named like one fails when it is hashed.
      switch FolderListing.kind(name) {
      case .image: images.append(name)
      case .unsupported: unsupported.append(name)
      case .other:
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
        if exists && isFolder.boolValue { folders.append(name) } else { others.append(name) }
      }
    }
  }

  enum Kind { case image, unsupported, other }

  /// What a file's extension says it is.
  static func kind(_ name: String) -> Kind {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return .other }
    switch name[name.index(after: dot)...].lowercased() {
    case "jpg", "jpeg", "png", "webp": return .image
    case "gif", "bmp", "tif", "tiff", "heic", "avif": return .unsupported
    default: return .other
    }
  }
}
