import BanyanFoundation
import Foundation

/// A source on the disk, its layout, and the reader for it.
struct TaskSource {
  let path: String
  let options: TaskLoadingOptions
  let isFolder: Bool
  /// The folder itself, or the one that the file lies in.
  let folder: SourcePath

  init(path: String, options: TaskLoadingOptions) throws {
    var isFolder: ObjCBool = false
    guard !path.isEmpty, FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw BanyanError(
        .missingInput, at: path, "expected a folder or file of tasks, found nothing", remedy: "Check the path.")
    }
    self.path = path
    self.options = options
    self.isFolder = isFolder.boolValue
    let url = URL(fileURLWithPath: path)
    folder = SourcePath(folder: self.isFolder ? path : url.deletingLastPathComponent().path)
    if let imageRoot = options.imageRoot {
      var isRootFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: imageRoot, isDirectory: &isRootFolder), isRootFolder.boolValue else {
        throw BanyanError(.missingInput, at: imageRoot, "expected the folder that image paths start from, found none")
      }
    }
  }

  /// The folder that the paths of a table or list start from.
  var imageRoot: SourcePath { options.imageRoot.map(SourcePath.init(folder:)) ?? folder }

  /// Reads the source with the reader of its layout.
  func read() throws -> SourceListing {
    let format = options.format == .auto ? try detect() : options.format
    if options.listPercentage != nil && format != .lists {
      throw BanyanError(.usage, at: path, "a list percentage is given, but the layout is \(format.rawValue)")
    }
    switch format {
    case .folders:
      guard isFolder else { throw BanyanError(.usage, at: path, "expected a folder of tasks, found a file") }
      guard options.imageRoot == nil else {
        throw BanyanError(
          .usage, at: path, "an image root is given, but the folder layout has no paths to resolve",
          remedy: "Leave the image root out.")
      }
      return try FolderReader(source: self).read()
    case .csv: return try CSVReader(source: self).read()
    case .coopJSON: return try CoOpSplitReader(source: self).read()
    case .lists: return try ListFileReader(source: self).read()
    case .auto: throw BanyanError(.usage, at: path, "the layout is not known")
    }
  }

  /// The names in the folder that end in one of `extensions`, sorted; hidden files and `tasks.json` are left out.
  func files(_ fileExtension: String) throws -> [String] {
    try FolderListing(folder.folder).files.filter { name in
      (name as NSString).pathExtension.lowercased() == fileExtension && name != TaskDescriptions.fileName
    }
  }

  /// Those of `names` that the options ask for.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where a name that is asked for is not among them.
  func selected(_ names: [String]) throws -> Set<String> {
    guard !options.only.isEmpty else { return Set(names) }
    let known = Set(names)
    for name in options.only where !known.contains(name) {
      throw BanyanError(
        .usage, at: "task \(name)", "there is no such task in \(path)",
        remedy: NearNames.remedy(for: name, among: names))
    }
    return Set(options.only)
  }
}
