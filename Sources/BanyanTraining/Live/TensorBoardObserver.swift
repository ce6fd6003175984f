import BanyanFoundation
import BanyanReports
public import Foundation
import Synchronization

/// Writes a run's events where TensorBoard reads them: a folder a seed, losses and rate by step, accuracies at the end.
///
/// What cannot be written is told once and is no reason to stop a run.
public final class TensorBoardObserver: Sendable {
  private struct State {
    var log: TensorBoardLog?
    var seed: UInt64?
    var shownSteps = 0
    /// A seed that an earlier process finished has its log already.
    var tookSteps = false
    var failure: BanyanError?
  }

  /// Up to about how many points a curve has.
  static let points = 1000

  private let folder: URL
  private let isContinued: Bool
  private let settings: [(name: String, value: TensorBoardLog.Value)]
  private let inner: ExperimentObserver
  private let state: Mutex<State>

  /// A log below `folder` of a run of `experiment`.
  ///
  /// - Parameters:
  ///   - folder: The run's own folder among those of other runs.
  ///   - experiment: What is written as the run's settings: all that differ from one run to another.
  ///   - isContinued: Whether logs that are there belong to the same run; else they are removed when a seed begins.
  ///   - inner: Who else listens.
  /// - Throws: A `BanyanError` where the settings are none, or a file stands where the folder would.
  public init(_ folder: URL, experiment: Experiment, isContinued: Bool = false, inner: ExperimentObserver) throws {
    self.folder = folder
    self.inner = inner
    self.isContinued = isContinued
    settings = Self.flat(try experiment.resolved(), path: "").sorted { $0.name < $1.name }
    // What cannot be written at all is better said before hours of work; nothing is made before the run has begun.
    var place = folder.standardizedFileURL
    var isFolder: ObjCBool = false
    while !FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder), place.pathComponents.count > 1 {
      place = place.deletingLastPathComponent()
    }
    guard isFolder.boolValue, FileManager.default.isWritableFile(atPath: place.path) else {
      throw BanyanError(
        .failed, at: "--tensorboard \(folder.path)", "\(place.path) is no folder that may be written to",
        remedy: "Name another folder.")
    }
    state = Mutex(State())
  }

  /// The observer to run with.
  public var observer: ExperimentObserver {
    ExperimentObserver(
      report: { event in
        self.take(event)
        self.inner.report(event)
      }, shouldStop: inner.shouldStop)
  }

  /// Adds figures to the log of the last seed.
  ///
  /// - Parameter pictures: PNG files with their names and sides in pixels.
  public func add(_ pictures: [(name: String, png: Data, width: Int, height: Int)]) throws {
    try state.withLock { state in
      guard let log = state.log else { return }
      for picture in pictures {
        try log.image(
          "figures/\(picture.name)", png: picture.png, width: picture.width, height: picture.height, step: 0)
      }
    }
  }

  private func take(_ event: ExperimentEvent) {
    let failure: BanyanError? = state.withLock { state in
      guard state.failure == nil else { return nil }
      do {
        try write(event, &state)
        return nil
      } catch {
        state.failure = error as? BanyanError ?? BanyanError(.failed, at: folder.path, "\(error)")
        return state.failure
      }
    }
    if let failure { inner.report(.note("TensorBoard: \(failure)")) }
  }

  private func write(_ event: ExperimentEvent, _ state: inout State) throws {
    switch event {
    case .seed(let seed, _, _):
      (state.log, state.seed, state.shownSteps, state.tookSteps) = (nil, seed, 0, false)
    case .step(let seed, let step, let total, let objectives, let rate):
      state.tookSteps = true
      guard step % max(1, total / Self.points) == 0 || step == 1 || step == total else { return }
      let log = try log(of: seed, &state)
      for (task, value) in objectives.sorted(by: { $0.key < $1.key }) {
        try log.scalar("loss/\(task)", value, step: step)
      }
      let mean = objectives.values.reduce(0, +) / Double(max(1, objectives.count))
      try log.scalar("loss/average", mean, step: step)
      try log.scalar("rate", rate, step: step)
      try log.scalar("memory/peak MiB", Double(Stopwatch.peakMemory >> 20), step: step)
      state.shownSteps = step
    case .result(let seed, let tasks):
      guard state.tookSteps || !isContinued else { return }
      let log = try log(of: seed, &state)
      for (task, value) in tasks.sorted(by: { $0.key < $1.key }) {
        try log.scalar("top1/\(task)", value, step: state.shownSteps)
      }
      let mean = tasks.values.reduce(0, +) / Double(max(1, tasks.count))
      try log.scalar("top1/average", mean, step: state.shownSteps)
      try log.end(succeeded: true)
    case .phase, .note, .features, .counted, .structure: break
    }
  }

  /// The log of a seed, begun where it is not yet.
  private func log(of seed: UInt64, _ state: inout State) throws -> TensorBoardLog {
    if let log = state.log { return log }
    let place = folder.appending(path: "seed-\(seed)")
    if !isContinued {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      where name.hasPrefix("events.out.tfevents.") {
        try? FileManager.default.removeItem(at: place.appending(path: name))
      }
    }
    let log = try TensorBoardLog(folder: place)
    try log.begin(settings + [("seed", .number(Double(seed)))], metrics: ["top1/average"])
    state.log = log
    return log
  }

  /// The leaves of a value by their paths; lists as their text.
  private static func flat(_ value: JSONValue, path: String) -> [(name: String, value: TensorBoardLog.Value)] {
    switch value {
    case .object(let members):
      members.flatMap { flat($0.value, path: path.isEmpty ? $0.key : "\(path).\($0.key)") }
    case .bool(let flag): [(path, .flag(flag))]
    case .integer(let number): [(path, .number(Double(number)))]
    case .number(let number): [(path, .number(number))]
    case .string(let text): [(path, .text(text))]
    case .null: [(path, .text("null"))]
    case .array(let items): [(path, .text(items.map(text).joined(separator: ", ")))]
    }
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .bool(let flag): "\(flag)"
    case .null: "null"
    case .array, .object: "…"
    }
  }
}
