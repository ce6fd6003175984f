public import BanyanEvaluation
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTasks
import BanyanTensor
public import Foundation

/// What a service saw of late, task by task: features, confidences and answers, no pictures.
///
/// Of each task the last pictures are kept, as many as ``capacity`` says, so that memory and the file stay small.
public struct Traffic: Sendable {
  /// What a file is: what a service keeps, or what it is compared with.
  public enum Kind: String, Sendable {
    case traffic, reference

    fileprivate var mark: String { "\(rawValue) 1" }
  }

  /// The most pictures of a task that are kept.
  private static let largest = 1 << 20
  /// More classes than any task has.
  private static let mostClasses = 1 << 20

  /// How many pictures of a task are kept.
  public let capacity: Int
  private var tasks: [String: Ring] = [:]

  fileprivate struct Ring: Sendable {
    var window = PictureWindow(features: [], confidences: [], labels: [])
    /// Where the oldest stands once the ring is full.
    var next = 0
    var seen = 0
    /// What the answers came from.
    var origin = ""
  }

  /// Nothing was seen yet.
  public init(capacity: Int = 1000) { self.capacity = capacity }

  /// Pictures of which all is known already.
  ///
  /// - Parameters:
  ///   - windows: By task.
  ///   - origins: What the answers of each task come from.
  public init(_ windows: [String: PictureWindow], origins: [String: String]) {
    capacity = max(1, windows.values.map(\.count).max() ?? 1)
    for (task, window) in windows where window.count > 0 {
      tasks[task] = Ring(window: window, next: 0, seen: window.count, origin: origins[task] ?? "")
    }
  }

  /// Takes note of a picture under a task.
  ///
  /// - Parameters:
  ///   - feature: Its unit image feature.
  ///   - probabilities: Of the task's classes.
  ///   - task: The task's name.
  ///   - origin: What the answers come from; where it is another than before, what was kept of the task is forgotten.
  public mutating func add(_ feature: [Float], probabilities: [Double], task: String, origin: String = "") {
    if let ring = tasks[task], ring.origin != origin { tasks[task] = nil }
    let label = Evaluator.best(probabilities)
    let confidence = probabilities.isEmpty ? 0 : probabilities[label]
    tasks[task, default: Ring(origin: origin)].add(feature, confidence, label, capacity: capacity)
  }

  /// The names of the tasks that something was asked of.
  public var taskNames: [String] { tasks.keys.sorted() }

  /// The last pictures of a task, in no order; `nil` where none were seen.
  public func window(_ task: String) -> PictureWindow? { tasks[task]?.window }

  /// What the answers of a task came from; `nil` where none were seen.
  public func origin(_ task: String) -> String? { tasks[task]?.origin }

  /// How many pictures of a task were seen in all.
  public func seen(_ task: String) -> Int { tasks[task]?.seen ?? 0 }

  /// Writes what is kept, whole or not at all.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - kind: What the file will be read as.
  public func write(to url: URL, as kind: Kind = .traffic) throws {
    var tree = ParameterTree()
    let names = taskNames
    for (index, name) in names.enumerated() {
      guard let window = tasks[name]?.oldestFirst, let width = window.features.first?.count else { continue }
      tree["tasks.\(index).features"] = try Tensor(Array(window.features.joined()), shape: [window.count, width])
      tree["tasks.\(index).confidences"] = try Tensor(window.confidences, shape: [window.count])
      tree["tasks.\(index).labels"] = try Tensor(window.labels.map(Double.init), shape: [window.count])
      tree["tasks.\(index).seen"] = try Tensor([Double(seen(name))], shape: [1])
    }
    func list(_ texts: [String]) throws -> String { String(decoding: try JSONEncoder().encode(texts), as: UTF8.self) }
    let metadata = [
      "banyan": kind.mark, "tasks": try list(names), "origins": try list(names.map { origin($0) ?? "" }),
      "capacity": "\(capacity)",
    ]
    try AtomicFile.write(SealedTensors.encode(tree, metadata: metadata), to: url)
  }

  /// Reads what ``write(to:as:)`` wrote.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - kind: What it must be: a service that took a reference for its traffic would write over it.
  /// - Throws: A `BanyanError` where the file is absent, damaged or of the other kind.
  public init(contentsOf url: URL, as kind: Kind = .traffic) throws {
    let file = try SealedTensors.read(url, remedy: "Remove the file; it is made anew.")
    let other: Kind = kind == .traffic ? .reference : .traffic
    guard file.metadata["banyan"] != other.mark else {
      throw BanyanError(
        .usage, at: url.path, "is a \(other.rawValue) file, and no \(kind.rawValue) file",
        remedy:
          "`banyan serve --traffic` and `banyan drift --reference` need files of their own; remove a reference of an "
          + "earlier version, it is made again.")
    }
    guard file.metadata["banyan"] == kind.mark, let capacity = file.metadata["capacity"].flatMap(Int.init),
      (1...Self.largest).contains(capacity),
      let names = Self.list(file.metadata["tasks"]), let origins = Self.list(file.metadata["origins"]),
      names.count == origins.count
    else { throw BanyanError(.malformed, at: url.path, "is no \(kind.rawValue) file") }
    self.capacity = capacity
    for (index, name) in names.enumerated() {
      let features = try file.tree.require("tasks.\(index).features")
      let confidences = try file.tree.require("tasks.\(index).confidences").doubles()
      let labels = try file.tree.require("tasks.\(index).labels").doubles().map { Int(exactly: $0) ?? -1 }
      let seen = Int(exactly: try file.tree.require("tasks.\(index).seen").item()) ?? -1
      guard features.shape.count == 2, features.extent(0) == confidences.count, labels.count == confidences.count,
        confidences.count <= capacity, confidences.allSatisfy(\.isFinite),
        labels.allSatisfy({ (0..<Self.mostClasses).contains($0) }), seen >= confidences.count,
        case let values = try features.floats(), values.allSatisfy(\.isFinite)
      else { throw BanyanError(.malformed, at: "\(url.path): task \(name)", "is no \(kind.rawValue) file") }
      let (count, width) = (features.extent(0), features.extent(1))
      let window = PictureWindow(
        features: (0..<count).map { Array(values[$0 * width..<($0 + 1) * width]) }, confidences: confidences,
        labels: labels)
      tasks[name] = Ring(window: window, next: 0, seen: seen, origin: origins[index])
    }
  }

  private static func list(_ text: String?) -> [String]? {
    text.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
  }
}

extension Traffic.Ring {
  /// The window from the oldest picture to the latest.
  fileprivate var oldestFirst: PictureWindow {
    func turned<Element>(_ list: [Element]) -> [Element] { Array(list[next...] + list[..<next]) }
    return PictureWindow(
      features: turned(window.features), confidences: turned(window.confidences), labels: turned(window.labels))
  }

  fileprivate mutating func add(_ feature: [Float], _ confidence: Double, _ label: Int, capacity: Int) {
    seen += 1
    guard window.count >= capacity else {
      window.features.append(feature)
      window.confidences.append(confidence)
      window.labels.append(label)
      return
    }
    (window.features[next], window.confidences[next], window.labels[next]) = (feature, confidence, label)
    next = (next + 1) % capacity
  }
}

extension FinishedRun {
  /// What the run's own pictures look like to its classifiers, task by task: what traffic is compared with.
  ///
  /// - Parameters:
  ///   - seed: Which seed's prompts.
  ///   - bench: The run's checkpoint.
  ///   - tasks: Another place of the run's pictures; `nil` for the recorded one.
  ///   - observer: Who is told how it goes and may stop it.
  /// - Returns: The test pictures of each task: unlike training pictures the prompts have not seen them either.
  public func reference(
    seed: UInt64, bench: Workbench, tasks: String? = nil, observer: ExperimentObserver = ExperimentObserver()
  ) throws -> [String: PictureWindow] {
    let restored = try restore(seed: seed, bench: bench, tasks: tasks, observer: observer)
    let evaluator = Evaluator(restored.method, restored.saved.parameters)
    var windows: [String: PictureWindow] = [:]
    for (index, part) in restored.split.enumerated() {
      windows[part.task] = try Self.window(
        restored.table.batch(part.test, task: index), evaluator, restored.saved.classifiers[index])
    }
    return windows
  }

  /// What other pictures look like to the classifiers of the tasks that they are filed under.
  ///
  /// - Parameters:
  ///   - tasks: A folder or file of tasks, of which those that the run knows are read; what classes say does not count.
  ///   - seed: Which seed's prompts.
  ///   - bench: The run's checkpoint.
  ///   - observer: Who is told how it goes and may stop it.
  public func windows(
    _ tasks: String, seed: UInt64, bench: Workbench, observer: ExperimentObserver = ExperimentObserver()
  ) throws -> [String: PictureWindow] {
    let saved = try SavedPrompts(folder, seed: seed, device: experiment.device)
    let method = try saved.method(bench, paths: (experiment.encodingPath, experiment.imagePath))
    let evaluator = Evaluator(method, saved.parameters)
    let suite = try TaskSuite.load(tasks, options: TaskLoadingOptions(ignoresLabels: true))
    let known = suite.tasks.filter { task in saved.manifest.tasks.contains { $0.name == task.name } }
    let table = try FeatureTable(
      known.flatMap(\.samples), suite: suite, extractor: bench.extractor, view: .centre,
      progress: { observer.report(.features(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
    var windows: [String: PictureWindow] = [:]
    for task in known where !task.samples.isEmpty {
      guard let index = saved.manifest.tasks.firstIndex(where: { $0.name == task.name }) else { continue }
      windows[task.name] = try Self.window(
        table.batch(task.samples, task: index), evaluator, saved.classifiers[index])
    }
    return windows
  }

  /// What each task's answers come from, to be compared with what traffic came from.
  public func origins(seed: UInt64) throws -> [String: String] {
    let saved = try SavedPrompts(folder, seed: seed)
    return Dictionary(
      uniqueKeysWithValues: try saved.manifest.tasks.enumerated().map { ($1.name, try saved.origin(of: $0)) })
  }

  private static func window(_ batch: TaskBatch, _ evaluator: Evaluator, _ weights: Tensor) throws -> PictureWindow {
    let rows = try evaluator.probabilities(batch, weights)
    let (width, values) = (batch.features.extent(1), try batch.features.floats())
    return PictureWindow(
      features: rows.indices.map { Array(values[$0 * width..<($0 + 1) * width]) },
      confidences: rows.map { $0.max() ?? 0 }, labels: rows.map(Evaluator.best))
  }
}
