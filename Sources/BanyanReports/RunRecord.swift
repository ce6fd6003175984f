public import BanyanFoundation

/// Everything a finished run says about itself: what was asked, on what it stood, what came out, what it cost.
///
/// Tables and drawings are made from records alone. A record holds the images of every seed with their digests, so the
/// run can be repeated; what differs between two equal runs (time, command line, cost) is set apart by
/// ``comparable()``.
public struct RunRecord: Sendable, Equatable {
  /// The schema this version writes, and the newest it reads.
  public static let currentSchema = 1
  /// The name of the file in a run's folder.
  public static let fileName = "record.json"

  /// The schema of the record.
  public var schema: Int
  /// The version of Banyan that wrote the record.
  public var banyan: String
  /// The version of libtorch.
  public var engine: String
  /// When the run was finished, ISO 8601.
  public var createdAt: String
  /// The command line.
  public var command: [String]
  /// The method's name in the catalogue.
  public var method: String
  /// The method's title for tables.
  public var methodTitle: String
  /// The experiment's settings, whole.
  public var experiment: JSONValue
  /// The backbone.
  public var model: ModelSummary
  /// The device, such as `cpu`.
  public var device: String
  /// The number of threads.
  public var threads: Int
  /// The seeds, in the order of ``runs``.
  public var seeds: [UInt64]
  /// The results by task name.
  public var tasks: [String: TaskSummary]
  /// The results on average over the tasks.
  public var average: AverageSummary
  /// The results by way of combining classifiers, for methods that have several per task.
  public var combinations: [String: CombinationSummary]?
  /// How many numbers the method trained.
  public var trainableParameters: Int
  /// ``trainableParameters`` as a share of the backbone's parameters.
  public var trainableShare: Double
  /// The seeds one by one.
  public var runs: [SeedRun]
  /// What the run cost.
  public var measured: Measured
  /// The images that could not be read and were left out.
  public var skippedImages: [String]
  /// Remarks for the reader.
  public var notes: [String]

  /// Creates a record; the seeds, the summaries and the trainable share are derived from `runs` and `model`.
  public init(
    banyan: String, engine: String, createdAt: String, command: [String], method: String, methodTitle: String,
    experiment: JSONValue, model: ModelSummary, device: String, threads: Int, trainableParameters: Int,
    runs: [SeedRun], measured: Measured, skippedImages: [String] = [], notes: [String] = []
  ) {
    schema = Self.currentSchema
    self.banyan = banyan
    self.engine = engine
    self.createdAt = createdAt
    self.command = command
    self.method = method
    self.methodTitle = methodTitle
    self.experiment = experiment
    self.model = model
    self.device = device
    self.threads = threads
    seeds = runs.map(\.seed)
    tasks = TaskSummary.summaries(of: runs)
    average = AverageSummary(of: runs)
    combinations = CombinationSummary.summaries(of: runs)
    self.trainableParameters = trainableParameters
    trainableShare = model.parameters > 0 ? Double(trainableParameters) / Double(model.parameters) : 0
    self.runs = runs
    self.measured = measured
    self.skippedImages = skippedImages
    self.notes = notes
  }

  /// The record without what differs between two equal runs: ``createdAt``, ``command`` and ``measured`` are blank.
  public func comparable() -> RunRecord {
    var record = self
    record.createdAt = ""
    record.command = []
    record.measured = Measured()
    return record
  }

  /// The tasks in their order: that of the first seed's split, then any others by name.
  public var taskNames: [String] {
    let ordered = (runs.first?.split.map(\.task) ?? []).filter { tasks[$0] != nil }
    return ordered + tasks.keys.filter { !ordered.contains($0) }.sorted()
  }
}
