import BanyanFoundation
import BanyanReports
import BanyanTraining
public import Foundation
import HTTPTypes

/// Runs that are ready to answer; a value that never changes, so that a request sees one state of the world.
///
/// Runs on one checkpoint share one image tower: a picture passes it once for all their tasks, and once
/// more for each task whose method changes the tower.
public struct ServedRuns: Sendable {
  /// Where a run lies and what of it is served.
  public struct Source: Sendable, Equatable {
    /// The run's folder.
    public var folder: URL
    /// Which seed's prompts; `nil` for the first.
    public var seed: UInt64?
    /// Another place of the checkpoint; `nil` for the recorded one.
    public var model: URL?

    /// Describes a run.
    public init(folder: URL, seed: UInt64? = nil, model: URL? = nil) {
      (self.folder, self.seed, self.model) = (folder, seed, model)
    }
  }

  /// One run.
  struct Run: Sendable {
    var name: String
    var seed: UInt64
    var record: RunRecord
    var classifier: PictureClassifier
  }

  /// One task of one run.
  struct Task: Sendable {
    /// What clients call it: the task's name, with the run's before it where two runs have a task of that name.
    var name: String
    /// Which run.
    var run: Int
    /// Which of its tasks.
    var index: Int
    /// The classes, in the order of the probabilities.
    var classNames: [String]
    /// Which prompts and which tower answer.
    var origin: String
  }

  /// Tells states of the world apart.
  let generation = UUID()
  let runs: [Run]
  let tasks: [Task]
  private let places: [String: Int]

  /// Reads runs.
  ///
  /// - Parameters:
  ///   - sources: Where they lie.
  ///   - earlier: Runs whose towers are in memory; those that are the same are shared.
  /// - Throws: A `BanyanError` that names the run and the file which cannot be served.
  public init(_ sources: [Source], sharing earlier: ServedRuns? = nil) throws {
    guard !sources.isEmpty else { throw BanyanError(.usage, at: "--run", "expected a run or more, found none") }
    var runs: [Run] = []
    for source in sources {
      let finished = try FinishedRun(source.folder)
      let seed = try finished.seed(source.seed)
      let classifier = try PictureClassifier(
        finished, seed: seed, model: source.model, sharing: ((earlier?.runs ?? []) + runs).map(\.classifier))
      let folder = source.folder.standardizedFileURL.lastPathComponent
      var (name, number) = (folder, 2)
      while runs.contains(where: { $0.name == name }) { (name, number) = ("\(folder)-\(number)", number + 1) }
      runs.append(Run(name: name, seed: seed, record: finished.record, classifier: classifier))
    }
    let names = runs.flatMap(\.classifier.taskNames)
    var tasks: [Task] = []
    for (number, run) in runs.enumerated() {
      for (index, task) in run.classifier.manifest.tasks.enumerated() {
        var name = task.name
        if names.count(where: { $0 == name }) > 1 {
          let base = "\(run.name).\(name)"
          // Another run may have a task of just that name.
          var copy = 2
          name = base
          while names.contains(name) || tasks.contains(where: { $0.name == name }) {
            (name, copy) = ("\(base)-\(copy)", copy + 1)
          }
        }
        tasks.append(
          Task(
            name: name, run: number, index: index,
            classNames: task.classNames, origin: try run.classifier.origin(of: index)))
      }
    }
    (self.runs, self.tasks) = (runs, tasks)
    places = Dictionary(tasks.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The names under which tasks are asked for.
  public var taskNames: [String] { tasks.map(\.name) }

  /// The task that is called `name`.
  ///
  /// - Throws: A ``ServiceError`` with status 404 that names the nearest.
  func place(of name: String) throws -> Int {
    guard name.utf8.count <= 1024 else { throw ServiceError(.notFound, "there is no task of so long a name") }
    guard let place = places[name] else {
      throw ServiceError(
        .notFound, "there is no task \(name). " + NearNames.remedy(for: name, among: places.keys.sorted()))
    }
    return place
  }

  /// The tasks at `places` by the tower that their pictures go through.
  func towers(_ places: [Int]) -> [[Int]] {
    var order: [PictureClassifier.Tower] = []
    var parts: [PictureClassifier.Tower: [Int]] = [:]
    for place in places {
      let tower = runs[tasks[place].run].classifier.tower
      if parts[tower] == nil { order.append(tower) }
      parts[tower, default: []].append(place)
    }
    return order.compactMap { parts[$0] }
  }

  /// How often a picture passes the tower for the tasks at `places`, all of one tower: once for its feature, and once for
  /// every task that prompts the tower itself.
  func passes(_ places: [Int]) -> Int { 1 + places.count { classifier($0).manifest.needsMethod == true } }

  /// The classifier of a task.
  func classifier(_ place: Int) -> PictureClassifier { runs[tasks[place].run].classifier }
}
