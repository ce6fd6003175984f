import BanyanCLIP
public import BanyanFoundation
public import BanyanTasks
public import Foundation

/// The runs of a sweep with their settings in full and their folders, all of them checked.
///
/// A run's files go to `OUTPUT/<samples>/<name>`, such as `runs/office-home/6-shots/coop`.
public struct SweepPlan: Sendable {
  /// One run of the plan.
  public struct Run: Sendable, Equatable {
    /// Its name, the same for all amounts of samples.
    public var name: String
    /// Where its files go.
    public var folder: URL
    /// What it does.
    public var experiment: Experiment
    /// What the paper reports, as a table shows it.
    public var expected: String?

    /// Name and amount, for messages: `coop (6 shots)`.
    public var title: String { "\(name) (\(experiment.samples))" }
  }

  /// The runs, amount by amount, in the file's order.
  public let runs: [Run]
  /// The world that must be drawn first, and where; `nil` where the tasks are there already.
  public let world: (description: SweepWorld, folder: URL)?

  /// Lays out a sweep.
  ///
  /// - Parameters:
  ///   - sweep: What to do.
  ///   - file: Where the sweep was read from; relative `file`s of runs start here, and errors name it.
  ///   - output: The folder of all runs.
  ///   - only: The names of the runs to keep; all where empty.
  ///   - overlays: Settings of all runs that win over the file's, each with what errors call it.
  /// - Throws: A `BanyanError` of kind `usage` that lists every problem of every run at once.
  public init(
    _ sweep: Sweep, file: URL, output: URL, only: [String] = [],
    overlays: [(subject: String, overlay: JSONValue)] = []
  ) throws {
    let place = file.relativePath
    // What is wrong with a flag is said once, and not for every run.
    for (subject, overlay) in overlays { _ = try Experiment(overlay, subject: subject) }
    let layout = SweepLayout(sweep: sweep, file: file, subject: place, overlays: overlays)
    let named = try layout.named(only: only)
    try layout.checkExpected(names: named.all)
    var base = sweep.base.objectValue ?? [:]
    let replaced = overlays.contains { $0.overlay["tasks"] != nil }
    let described = replaced ? nil : try SweepWorld(tasks: base["tasks"], subject: "\(place): base")
    if base["tasks"]?.objectValue != nil { base["tasks"] = nil }
    world = described.map { ($0, output.appendingPathComponent($0.folderName)) }
    if let world { base["tasks"] = .string(world.folder.path) }
    let shared = try Experiment(.object(base), subject: "\(place): base")

    var runs: [Run] = []
    var problems: [String] = []
    let isSet = overlays.contains { $0.overlay["samples"] != nil }
    for amount in sweep.samples.isEmpty || isSet ? [nil] : sweep.samples.map(Optional.some) {
      for entry in named.kept {
        do {
          let experiment = try layout.experiment(entry, over: shared, samples: amount)
          try experiment.validate()
          let folder = output.appendingPathComponent(experiment.samples.folderName).appendingPathComponent(entry.name)
          runs.append(
            Run(
              name: entry.name, folder: folder, experiment: experiment,
              expected: sweep.expected(run: entry.name, samples: experiment.samples)))
        } catch let error as BanyanError {
          let text = "\(entry.name): \(error)"
          if !problems.contains(text) { problems.append(text) }
        }
      }
    }
    guard problems.isEmpty else {
      throw BanyanError(
        .usage, at: place, (["not every run can be done"] + problems.map { "  \($0)" }).joined(separator: "\n"))
    }
    // Without an axis runs are listed amount by amount all the same.
    var amounts: [SamplingAmount] = []
    for run in runs where !amounts.contains(run.experiment.samples) { amounts.append(run.experiment.samples) }
    self.runs = amounts.flatMap { amount in runs.filter { $0.experiment.samples == amount } }
  }

  /// The folders and files that runs need and that are not there, without the world that will be drawn.
  ///
  /// - Parameter runs: The runs that are to be done.
  /// - Throws: A `BanyanError` where the checkpoint that ships is not to be found.
  public func missingInputs(of runs: [Run]) throws -> [String] {
    var missing: [String] = []
    for run in runs {
      let paths = [try EmbeddedCheckpoint.resolve(run.experiment.model).path, run.experiment.tasks]
      for path in paths where path != world?.folder.path && !missing.contains(path) {
        if !FileManager.default.fileExists(atPath: path) { missing.append(path) }
      }
    }
    return missing
  }
}

extension SamplingAmount {
  /// The amount as the name of a folder: `6-shots`, `10-percent`, `all`.
  public var folderName: String {
    description.replacing(" ", with: "-").replacing("%", with: "-percent")
  }
}
