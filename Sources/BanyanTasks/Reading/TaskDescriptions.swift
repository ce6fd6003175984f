import BanyanFoundation

/// What `tasks.json` beside a source says about its tasks.
///
///     {"templates": ["a photo of a {}."],
///      "tasks": {"sketch": {"title": "Sketches", "classNames": {"hot_dog": "hot dog"},
///                           "templates": ["a sketch of a {}."], "initialWords": "a sketch of a"}}}
///
/// A task's templates stand in for the ones at the top. Keys that are not there are refused with their near names, and
/// so are tasks and classes that the source does not have.
struct TaskDescriptions {
  static let fileName = "tasks.json"

  struct Description {
    var title: String?
    var classNames: [String: String] = [:]
    var templates: [String]?
    var initialWords: String?
  }

  private var path = ""
  private var templates: [String] = []
  private var tasks: [String: Description] = [:]

  /// Reads the file in `folder`; nothing is described where there is none.
  static func read(folder: SourcePath) throws -> TaskDescriptions {
    var descriptions = TaskDescriptions()
    guard try FolderListing(folder.folder).others.contains(fileName) else { return descriptions }
    descriptions.path = folder.absolute(fileName)
    let subject = descriptions.path
    let document = try JSONDocument.read(JSONValue.self, from: folder.url(fileName))
    for (key, value) in try members(document, at: subject, allowed: ["tasks", "templates"]) {
      if key == "templates" {
        descriptions.templates = try templateList(value, at: "\(subject): templates")
      } else {
        guard let tasks = value.objectValue else { throw misfit(value, "an object", at: "\(subject): tasks") }
        for (name, task) in tasks.sorted(by: { $0.key < $1.key }) {
          descriptions.tasks[name] = try description(task, at: "\(subject): tasks.\(name)")
        }
      }
    }
    return descriptions
  }

  /// Lays the descriptions over the tasks of a source.
  func apply(to listing: inout SourceListing) throws {
    for name in tasks.keys.sorted() where !listing.available.contains(name) {
      throw BanyanError(
        .malformed, at: "\(path): tasks.\(name)", "there is no such task",
        remedy: NearNames.remedy(for: name, among: listing.available))
    }
    for index in listing.tasks.indices {
      listing.tasks[index].templates = templates
      guard let description = tasks[listing.tasks[index].name] else { continue }
      let task = listing.tasks[index]
      for (key, name) in description.classNames.sorted(by: { $0.key < $1.key }) {
        guard let label = task.classKeys.firstIndex(of: key) else {
          throw BanyanError(
            .malformed, at: "\(path): tasks.\(task.name).classNames.\(key)", "there is no such class",
            remedy: NearNames.remedy(for: key, among: task.classKeys))
        }
        listing.tasks[index].classNames[label] = name
      }
      listing.tasks[index].title = description.title
      listing.tasks[index].templates = description.templates ?? templates
      listing.tasks[index].initialWords = description.initialWords
    }
  }

  private static func description(_ value: JSONValue, at subject: String) throws -> Description {
    var description = Description()
    let keys = ["title", "classNames", "templates", "initialWords"]
    for (key, value) in try members(value, at: subject, allowed: keys) {
      let at = "\(subject).\(key)"
      switch key {
      case "title": description.title = try words(value, at: at)
      case "initialWords": description.initialWords = try words(value, at: at)
      case "templates": description.templates = try templateList(value, at: at)
      default:
        guard let names = value.objectValue else { throw misfit(value, "an object", at: at) }
        description.classNames = try Dictionary(
          uniqueKeysWithValues: names.sorted { $0.key < $1.key }.map { ($0, try words($1, at: "\(at).\($0)")) })
      }
    }
    return description
  }

  private static func members(
    _ value: JSONValue, at subject: String, allowed: [String]
  ) throws -> [(key: String, value: JSONValue)] {
    guard let members = value.objectValue else { throw misfit(value, "an object", at: subject) }
    for key in members.keys.sorted() where !allowed.contains(key) {
      throw BanyanError(
        .malformed, at: "\(subject): \(key)", "there is no such key",
        remedy: NearNames.remedy(for: key, among: allowed))
    }
    return members.sorted { $0.key < $1.key }
  }

  private static func templateList(_ value: JSONValue, at subject: String) throws -> [String] {
    guard let list = value.arrayValue else { throw misfit(value, "a list of texts", at: subject) }
    return try list.enumerated().map { index, value in
      let template = try words(value, at: "\(subject)[\(index)]")
      let count = template.split(separator: "{}", omittingEmptySubsequences: false).count - 1
      guard count == 1 else {
        throw BanyanError(
          .malformed, at: "\(subject)[\(index)]",
          "expected {} exactly once, found it \(count) times in \"\(template)\"",
          remedy: "Write {} where the class's name goes.")
      }
      return template
    }
  }

  /// A text that is not blank.
  private static func words(_ value: JSONValue, at subject: String) throws -> String {
    guard let text = value.stringValue else { throw misfit(value, "a text", at: subject) }
    guard !text.allSatisfy(\.isWhitespace) else {
      throw BanyanError(.malformed, at: subject, "expected a text, found a blank one")
    }
    return text
  }

  private static func misfit(_ value: JSONValue, _ expected: String, at subject: String) -> BanyanError {
    BanyanError(.malformed, at: subject, "expected \(expected), found \(value.kindName)")
  }
}
