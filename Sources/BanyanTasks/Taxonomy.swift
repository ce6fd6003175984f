import BanyanFoundation
public import Foundation

/// Which classes belong together by nature: each class's family and order.
///
/// Unlike a ``TaskSuite`` it names no picture. Read from a CSV with the columns `class`, `family` and `order`.
public struct Taxonomy: Sendable, Equatable {
  /// One class.
  public struct Entry: Sendable, Equatable {
    /// The class's name, as it is called in prompts.
    public var className: String
    /// The smaller group.
    public var family: String
    /// The larger group.
    public var order: String

    /// Creates an entry.
    public init(className: String, family: String, order: String) {
      (self.className, self.family, self.order) = (className, family, order)
    }
  }

  /// A group of classes that makes a task.
  public struct Group: Sendable, Equatable {
    /// The order's name, or the family's.
    public var name: String
    /// The names of its classes, as the taxonomy has them.
    public var classNames: [String]
  }

  /// The classes.
  public let entries: [Entry]

  /// Creates a taxonomy.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where a class occurs twice or a name is empty.
  public init(_ entries: [Entry]) throws {
    var seen: Set<String> = []
    for entry in entries {
      guard !entry.className.isEmpty, !entry.family.isEmpty, !entry.order.isEmpty else {
        throw BanyanError(.malformed, at: "taxonomy: \(entry.className)", "expected a class, a family and an order")
      }
      guard seen.insert(entry.className).inserted else {
        throw BanyanError(.malformed, at: "taxonomy: \(entry.className)", "the class occurs twice")
      }
    }
    self.entries = entries
  }

  /// Reads a table with the columns `class`, `family` and `order`, in any order.
  ///
  /// - Throws: A `BanyanError` that names the file and the line.
  public init(contentsOf url: URL) throws {
    let table = try CSVTable(AtomicFile.read(url), subject: url.path)
    guard let header = table.records.first else {
      throw BanyanError(.malformed, at: url.path, "expected a header with the columns class, family and order")
    }
    let names = header.fields.map { CSVReader.trimmed($0).lowercased() }
    let places = try ["class", "family", "order"].map { name in
      guard let place = names.firstIndex(of: name) else {
        throw BanyanError(
          .malformed, at: "\(url.path), line \(header.line)", "the column \(name) is missing",
          remedy: "Begin with the line class,family,order.")
      }
      return place
    }
    do {
      try self.init(
        try table.records.dropFirst().map { record in
          guard record.fields.count == header.fields.count else {
            throw BanyanError(
              .malformed, at: "\(url.path), line \(record.line)",
              "expected \(header.fields.count) fields, found \(record.fields.count)",
              remedy: "Put a field that holds a comma in quotes.")
          }
          let values = places.map { CSVReader.trimmed(record.fields[$0]) }
          return Entry(className: values[0], family: values[1], order: values[2])
        })
    } catch let error as BanyanError where !error.subject.contains(url.path) {
      throw BanyanError(error.kind, at: "\(url.path): \(error.subject)", error.message, remedy: error.remedy)
    }
  }

  /// The groups that make tasks of some classes: their orders; of an order with too many of them its families.
  ///
  /// - Parameters:
  ///   - classNames: The classes at hand; those that the taxonomy does not know are left out.
  ///   - least: A group with fewer classes makes no task; 2 at least.
  ///   - most: An order with more classes is divided into its families; half of all classes where `nil`.
  public func groups(of classNames: [String], least: Int = 2, most: Int? = nil) -> [Group] {
    let known = entries.filter { Set(classNames).contains($0.className) }
    let limit = most ?? max(least, known.count / 2)
    func grouped(_ entries: [Entry], by key: (Entry) -> String) -> [(name: String, entries: [Entry])] {
      Dictionary(grouping: entries, by: key).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    let groups = grouped(known, by: \.order).flatMap { order in
      order.entries.count > limit
        ? grouped(order.entries, by: \.family).map { (order: order.name, name: $0.name, entries: $0.entries) }
        : [(order: order.name, name: order.name, entries: order.entries)]
    }.filter { $0.entries.count >= max(2, least) }
    // A family may be called as another order or another order's family is.
    return groups.map { group in
      let isAlone = groups.count { $0.name == group.name } == 1
      return Group(
        name: isAlone ? group.name : "\(group.order), \(group.name)", classNames: group.entries.map(\.className))
    }
  }
}

extension TaskSuite {
  /// A suite whose tasks are groups of this one's classes: each task of this one with each group.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where no group has enough classes.
  public func divided(by taxonomy: Taxonomy, least: Int = 2, most: Int? = nil) throws -> TaskSuite {
    let parts = tasks.flatMap { task in
      let counts = task.classCounts
      let present = task.classNames.indices.filter { counts[$0] > 0 }.map { task.classNames[$0] }
      return taxonomy.groups(of: present, least: least, most: most).map { group in
        let labels = task.classNames.indices.filter { group.classNames.contains(task.classNames[$0]) }
        let places = Dictionary(uniqueKeysWithValues: zip(labels, labels.indices))
        return ClassificationTask(
          name: tasks.count == 1 ? group.name : "\(task.name) \(group.name)",
          classNames: labels.map { task.classNames[$0] }, templates: task.templates, initialWords: task.initialWords,
          samples: task.samples.compactMap { sample in
            places[sample.label].map {
              Sample(path: sample.path, label: $0, split: sample.split, sha256: sample.sha256)
            }
          })
      }
    }
    guard !parts.isEmpty else {
      let classes = tasks.flatMap(\.classNames)
      throw BanyanError(
        .usage, at: "taxonomy", "no group has \(least) of the classes at hand",
        remedy: "The classes are called \(classes.prefix(6).joined(separator: ", ")) …; the taxonomy's first is "
          + "\(taxonomy.entries.first?.className ?? "missing").")
    }
    return TaskSuite(root: root, tasks: parts, skipped: skipped)
  }

  /// The tasks' own sentences and starting words in the form of a `tasks.json`, without its class names.
  public var descriptions: Data {
    get throws {
      let entries = tasks.map { task -> (String, JSONValue) in
        var entry: [String: JSONValue] = ["title": .string(task.title)]
        if !task.templates.isEmpty { entry["templates"] = .array(task.templates.map(JSONValue.string)) }
        if let words = task.initialWords { entry["initialWords"] = .string(words) }
        return (task.name, .object(entry))
      }
      return try JSONDocument.data(
        JSONValue.object(["tasks": .object(Dictionary(entries) { first, _ in first })]), subject: "tasks.json")
    }
  }

  /// The suite as a table `path,label,task,split` that ``load(_:options:)`` reads, with absolute paths.
  public var csv: String {
    func field(_ text: String) -> String {
      text.contains { "\",\n\r".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
    let rows = tasks.flatMap { task in
      task.samples.map { sample in
        [url(of: sample).path, task.classNames[sample.label], task.name, sample.split?.rawValue ?? ""].map(field)
          .joined(separator: ",")
      }
    }
    return (["path,label,task,split"] + rows).joined(separator: "\n") + "\n"
  }
}
