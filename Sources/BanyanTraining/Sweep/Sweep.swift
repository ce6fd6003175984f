public import BanyanFoundation
public import BanyanTasks
public import Foundation

/// Many experiments in one file: what they share, what each run changes, and for how many samples.
///
/// Unlike an ``Experiment``, which is one run of one method, a sweep is a table of them: ``SweepPlan`` lays out
/// `samples × runs`. Unknown keys are refused with the near names.
///
///     {"title": "Office-Home", "base": {"model": "clip", "tasks": "pictures"}, "samples": ["6 shots", "12 shots"],
///      "runs": [{"method": "coop"}, {"name": "no-groups", "method": "mmap", "options": {"taskSpecific": true}}]}
public struct Sweep: Codable, Sendable, Equatable {
  /// What the tables are called.
  public var title: String = ""
  /// Where the protocol and the numbers to compare with come from; for readers only.
  @Nullable public var paper: String?
  /// The command that runs this file; for readers only.
  @Nullable public var command: String?
  /// The layout that the tasks must have and where they are to be had; shown where they are absent.
  @Nullable public var data: String?
  /// The paper's numbers: a text for readers, or an object by run name of a number in per cent, a text, or an object of
  /// these by amount of samples.
  public var expected: JSONValue = .null
  /// What all runs share: an overlay of an experiment whose `tasks` may be `{"world": {…}}`, a ``SweepWorld``.
  public var base: JSONValue = .object([:])
  /// The axis of samples; where empty, base or runs say how much is learned from.
  public var samples: [SamplingAmount] = []
  /// The runs: overlays of an experiment with two more keys, `name` (by default the method) and `file`, an experiment
  /// file beside the sweep's whose settings lie between base and run.
  public var runs: [JSONValue] = []

  /// An empty sweep.
  public init() {}

  /// The sweep that a file's contents describe.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the key and the near names.
  public init(_ contents: JSONValue, subject: String) throws {
    self = try Settings.apply(contents, to: Sweep(), subject: subject, open: ["base"])
    guard base.objectValue != nil else {
      throw BanyanError(.usage, at: "\(subject): base", "expected an object, found \(base.kindName)")
    }
    guard !runs.isEmpty else {
      throw BanyanError(
        .usage, at: "\(subject): runs", "there are no runs", remedy: "List them, such as [{\"method\": \"coop\"}].")
    }
    guard Set(samples.map(\.description)).count == samples.count else {
      throw BanyanError(.usage, at: "\(subject): samples", "an amount is given twice")
    }
  }

  /// Reads the sweep in `file`.
  ///
  /// - Throws: What ``init(_:subject:)`` throws, and a `BanyanError` where the file is absent or no JSON.
  public init(contentsOf file: URL) throws {
    try self.init(JSONDocument.read(JSONValue.self, from: file), subject: file.relativePath)
  }

  /// What the paper reports for a run, as a table shows it; `nil` where it reports nothing.
  public func expected(run: String, samples: SamplingAmount) -> String? {
    func text(_ value: JSONValue?) -> String? {
      value?.stringValue ?? value?.doubleValue.map { "\($0)" }
    }
    let entry = expected.objectValue?[run]
    let amounts = entry?.objectValue
    return text(entry) ?? text(amounts?.first { SamplingAmount($0.key) == samples }?.value)
  }
}
