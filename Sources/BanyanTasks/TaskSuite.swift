import BanyanFoundation
public import Foundation

/// Tasks that are learned together, loaded and checked.
///
/// Unlike a ``TaskSplit``, which says what one run learns from, a suite is all there is. Every file was read once, so a
/// sample carries the hash of its content and a run can be repeated on the same bytes.
public struct TaskSuite: Codable, Sendable, Equatable {
  /// The absolute path of the folder that relative sample paths start from.
  public var root: String
  /// The tasks, in the source's order.
  public var tasks: [ClassificationTask]
  /// What was left out, and why.
  public var skipped: [SkippedFile]

  /// Creates a suite from tasks at hand.
  public init(root: String, tasks: [ClassificationTask], skipped: [SkippedFile] = []) {
    self.root = root
    self.tasks = tasks
    self.skipped = skipped
  }

  /// The place of a sample's file.
  public func url(of sample: Sample) -> URL {
    SourcePath(folder: root).url(sample.path)
  }

  /// Loads and checks the tasks of a folder, table, split file or list.
  ///
  /// A `tasks.json` beside the source may give titles, class names, templates and initial words. All files are
  /// read and hashed, on all cores. Within a task a content may occur in one split and under one label only.
  ///
  /// - Throws: A `BanyanError`: `missingInput` where the source, an image or all images are absent or unreadable,
  ///   `malformed` where the source does not hold what its layout asks for, `usage` where an option does not fit it.
  public static func load(_ path: String, options: TaskLoadingOptions = TaskLoadingOptions()) throws -> TaskSuite {
    guard !options.also.isEmpty else {
      return try SuiteAssembly(listing: listing(path, options), options: options, subject: path).suite()
    }
    // Whether a name is there can be said of all sources together only.
    var each = options
    each.only = []
    var whole = try listing(path, each)
    (each.format, each.imageRoot, each.listPercentage) = (.auto, nil, nil)
    for place in options.also {
      try whole.append(listing(place, each), keepsFirst: !options.only.isEmpty, subject: place)
    }
    try whole.select(options.only, subject: path)
    return try SuiteAssembly(listing: whole, options: options, subject: path).suite()
  }

  private static func listing(_ path: String, _ options: TaskLoadingOptions) throws -> SourceListing {
    let source = try TaskSource(path: path, options: options)
    var listing = try source.read()
    let descriptions = try TaskDescriptions.read(folder: source.folder)
    try descriptions.apply(to: &listing)
    return listing
  }

  /// The task named `name`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` with the near names where there is none.
  public func task(named name: String) throws -> ClassificationTask {
    guard let task = tasks.first(where: { $0.name == name }) else {
      throw BanyanError(
        .usage, at: "task \(name)", "there is no such task",
        remedy: NearNames.remedy(for: name, among: tasks.map(\.name)))
    }
    return task
  }
}
