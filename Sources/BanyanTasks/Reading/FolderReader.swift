import BanyanFoundation

/// Reads `<root>/<task>/<class>/<image>`, or `<root>/<class>/<image>` as one task named after the root.
///
/// Tasks, classes and images are in the order of their names. A class is called by its folder's name with spaces for
/// underscores and hyphens. Nothing below a class folder but images directly in it counts.
struct FolderReader {
  let source: TaskSource

  /// Whether there are images one or two levels below `folder`.
  static func fits(_ folder: SourcePath) throws -> Bool {
    for name in try FolderListing(folder.folder).folders {
      guard let inner = try? FolderListing(folder.absolute(name)) else { continue }
      if !inner.images.isEmpty { return true }
      for deeper in inner.folders {
        if let images = try? FolderListing(folder.absolute("\(name)/\(deeper)")).images, !images.isEmpty { return true }
      }
    }
    return false
  }

  func read() throws -> SourceListing {
    let root = source.folder
    let top = try FolderListing(root.folder)
    let inner = try top.folders.map { name in (name: name, listing: try FolderListing(root.absolute(name))) }
    guard !inner.isEmpty else {
      throw BanyanError(.missingInput, at: source.path, "there are no images", remedy: TaskFormat.overview + ".")
    }
    var listing = SourceListing(root: root, available: [], tasks: [])
    let holdingImages = inner.filter { !$0.listing.images.isEmpty }
    let holdingFolders = inner.filter { $0.listing.images.isEmpty && !$0.listing.folders.isEmpty }
    if let one = holdingImages.first {
      if let other = holdingFolders.first {
        // A picture beside the class folders of a task is a stray; without class folders it is a class of its own.
        guard holdingImages.allSatisfy({ !$0.listing.folders.isEmpty }) else {
          throw BanyanError(
            .malformed, at: source.path,
            "expected tasks or classes, found both: \(one.name) holds images and \(other.name) holds folders",
            remedy: "Use <root>/<task>/<class>/<image>, or <root>/<class>/<image> for one task.")
        }
      } else if holdingImages.contains(where: { $0.listing.folders.isEmpty }) {
        let name = root.folder.split(separator: "/").last.map(String.init) ?? "root"
        listing.available = [name]
        _ = try source.selected([name])
        noteStrays(top, task: name, below: "", in: &listing)
        listing.tasks = [try draft(task: name, below: "", classes: inner, in: &listing)]
        return listing
      }
    }
    listing.available = inner.map(\.name)
    try refuseSplitFolders(listing.available)
    let wanted = try source.selected(listing.available)
    for image in top.images + top.unsupported {
      listing.skipped.append(
        SkippedFile(task: "", path: image, reason: .outsideClassFolders, detail: "it lies beside the task folders"))
    }
    for (name, task) in inner where wanted.contains(name) {
      guard !task.folders.isEmpty else {
        throw BanyanError(
          .missingInput, at: root.absolute(name), "expected a folder for each class, found none",
          remedy: "Put images in \(name)/<class>/, or take the folder out.")
      }
      noteStrays(task, task: name, below: name + "/", in: &listing)
      let classes = try task.folders.map { folder in
        (name: folder, listing: try FolderListing(root.absolute("\(name)/\(folder)")))
      }
      listing.tasks.append(try draft(task: name, below: name + "/", classes: classes, in: &listing))
    }
    return listing
  }

  /// A task from its class folders, of which none may be empty.
  private func draft(
    task: String, below: String, classes: [(name: String, listing: FolderListing)], in listing: inout SourceListing
  ) throws -> SourceListing.Draft {
    var entries: [SourceListing.Entry] = []
    for (label, (name, folder)) in classes.enumerated() {
      guard !folder.images.isEmpty else {
        throw BanyanError(
          .missingInput, at: source.folder.absolute(below + name),
          "the class folder holds no image (jpg, jpeg, png or webp, directly in it)",
          remedy: "Add images, or take the folder out.")
      }
      for image in folder.images {
        entries.append(SourceListing.Entry(path: "\(below)\(name)/\(image)", label: label))
      }
      for image in folder.unsupported {
        listing.skipped.append(
          SkippedFile(
            task: task, path: "\(below)\(name)/\(image)", reason: .unsupportedFormat,
            detail: "jpg, jpeg, png and webp are read"))
      }
    }
    let keys = classes.map(\.name)
    return SourceListing.Draft(
      name: task, classKeys: keys, classNames: keys.map { displayName($0) }, entries: entries,
      origin: source.folder.absolute(below))
  }

  private func noteStrays(_ folder: FolderListing, task: String, below: String, in listing: inout SourceListing) {
    for image in folder.images + folder.unsupported {
      listing.skipped.append(
        SkippedFile(
          task: task, path: below + image, reason: .outsideClassFolders, detail: "it lies beside the class folders"))
    }
  }

  /// `train/` and `test/` at the top would be taken for two tasks, and trained on both.
  private func refuseSplitFolders(_ names: [String]) throws {
    guard names.count > 1, names.allSatisfy({ Split(word: $0) != nil }) else { return }
    throw BanyanError(
      .malformed, at: source.path, "expected task folders, found splits: \(names.joined(separator: ", "))",
      remedy: "List the files in a CSV with a split column, or rename the folders if they are tasks.")
  }
}
