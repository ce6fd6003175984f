public import BanyanCLIP
public import BanyanFoundation
import BanyanPrompts
public import BanyanTasks
public import BanyanTensor
import Foundation

/// The description of one run: everything that its result depends on.
///
/// The command line, the service and the benchmarks all make one of these and call the same
/// ``ExperimentRun``. A file holds only what differs from the defaults; unknown keys are refused with the near names.
///
///     {"model": "clip", "tasks": "pictures", "method": "hipro", "samples": "8 shots", "training": {"epochs": 50}}
public struct Experiment: Codable, Sendable, Equatable {
  /// Where the numbers to compare with come from; for readers only.
  @Nullable public var paper: String?
  /// What the run is expected to give; for readers only.
  @Nullable public var expected: String?
  /// The command that runs this file; for readers only.
  @Nullable public var command: String?

  /// The checkpoint's folder, or `embedded` for the small one that ships with Banyan.
  public var model: String = ""
  /// The tasks' folder or file.
  public var tasks: String = ""
  /// The name of a method of the catalogue.
  public var method: String = "hipro"
  /// What differs from the method's defaults.
  public var options: JSONValue = .object([:])
  /// How much of each task is learned from.
  public var samples: SamplingAmount = .shots(16)
  /// Pictures per class held out for choices; `null` stands for min(shots, 4).
  @Nullable public var validationShots: Int?
  /// One run per seed.
  public var seeds: [UInt64] = [1, 2, 3]
  /// How the tasks are read.
  public var data = DataSettings()
  /// How prompts are learned.
  public var training = TrainingSettings()
  /// How the tree of tasks is found, for methods that need one.
  public var affinity = AffinitySettings()
  /// Where tensors live.
  public var device = Device.cpu
  /// Threads of one op; `null` stands for all cores, and for 1 where both towers are narrower than 256.
  @Nullable public var threads: Int?
  /// In what numbers the frozen towers multiply.
  public var precision = TowerPrecision.fp32
  /// How class names are encoded.
  public var encodingPath = TextTower.EncodingPath.fused
  /// Which of the exact ways pictures are encoded.
  public var imagePath = ImageTower.EncodingPath.fused

  /// An experiment with all defaults.
  public init() {}

  /// The experiment that an overlay of differences describes.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the key and the near names.
  public init(_ overlay: JSONValue, over base: Experiment = Experiment(), subject: String) throws {
    self = try Settings.apply(overlay, to: base, subject: subject, open: ["options"])
  }

  /// What differs from the defaults, as a file holds it.
  public func differences() throws -> JSONValue {
    try Settings.differences(of: JSONValue(encoding: self), from: JSONValue(encoding: Experiment())) ?? .object([:])
  }

  /// The experiment with the method's options in full and the notes for readers left out: what results depend on.
  public func resolved() throws -> JSONValue {
    var copy = self
    copy.paper = nil
    copy.expected = nil
    copy.command = nil
    copy.options = try MethodCatalog.entry(method).resolve(options)
    return try JSONValue(encoding: copy)
  }

  /// Checks everything that can be checked without reading data.
  public func validate() throws {
    guard !model.isEmpty else {
      throw BanyanError(
        .usage, at: "--model", "no checkpoint was given",
        remedy: "Give its folder to --model, or `--model embedded` for the small one that ships with Banyan.")
    }
    guard !tasks.isEmpty else {
      throw BanyanError(
        .usage, at: "--tasks", "no tasks were given",
        remedy: "Give a folder laid out as <task>/<class>/<image> to --tasks.")
    }
    guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
      throw BanyanError(.usage, at: "--seeds", "expected one or more different seeds, found \(seeds)")
    }
    _ = try MethodCatalog.entry(method).resolve(options)
    try training.validate()
    try affinity.validate()
    try data.validate()
    try SamplingPlan(amount: samples, validationShots: validationShots, seed: seeds[0]).validate()
    if let threads, !(1...1024).contains(threads) {
      throw BanyanError(.usage, at: "--threads \(threads)", "expected a number from 1 to 1024")
    }
    try device.checked()
  }
}

/// How the tasks are read.
public struct DataSettings: Codable, Sendable, Equatable {
  /// The layout; found by looking where it is `auto`.
  public var format = TaskFormat.auto
  /// The tasks to use; all where empty.
  public var only: [String] = []
  /// More places of tasks, which stand behind those of `tasks`.
  public var also: [String] = []
  /// The folder that paths in tables and lists start from; `null` for the file's own.
  @Nullable public var imageRoot: String?
  /// Which of several lists `TASK_train_PERCENT.txt` is read; `null` where there is one.
  @Nullable public var listPercentage: Int?
  /// Whether pictures that cannot be decoded are left out and listed.
  public var skipUnreadable = false
  /// Whether equal contents in two splits or under two labels are dropped and listed.
  public var dropDuplicates = false
  /// How many seeded random crops stand for each training picture; 0 uses the plain one.
  public var augmentedViews = 0

  func validate() throws {
    guard (0...1000).contains(augmentedViews) else {
      throw BanyanError(.usage, at: "data.augmentedViews", "expected 0 to 1000, found \(augmentedViews)")
    }
  }
}
