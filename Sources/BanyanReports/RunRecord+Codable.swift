import BanyanFoundation
public import Foundation

extension RunRecord: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case schema, banyan, engine, createdAt, command, method, methodTitle, experiment, model, device, threads, seeds,
      tasks
    case average, combinations, trainableParameters, trainableShare, runs, measured, skippedImages, notes
  }

  /// Decodes a record; unknown keys are skipped.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where a newer version of Banyan wrote the record.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    schema = try container.decode(Int.self, forKey: .schema)
    guard schema >= 1, schema <= Self.currentSchema else {
      throw BanyanError(
        .malformed, at: "run record: schema", "expected 1 to \(Self.currentSchema), found \(schema)",
        remedy: "Read the record with the version of Banyan that wrote it, or a newer one.")
    }
    banyan = try container.decode(String.self, forKey: .banyan)
    engine = try container.decode(String.self, forKey: .engine)
    createdAt = try container.decode(String.self, forKey: .createdAt)
    command = try container.decode([String].self, forKey: .command)
    method = try container.decode(String.self, forKey: .method)
    methodTitle = try container.decode(String.self, forKey: .methodTitle)
    experiment = try container.decode(JSONValue.self, forKey: .experiment)
    model = try container.decode(ModelSummary.self, forKey: .model)
    device = try container.decode(String.self, forKey: .device)
    threads = try container.decode(Int.self, forKey: .threads)
    seeds = try container.decode([UInt64].self, forKey: .seeds)
    tasks = try container.decode([String: TaskSummary].self, forKey: .tasks)
    average = try container.decode(AverageSummary.self, forKey: .average)
    combinations = try container.decodeIfPresent([String: CombinationSummary].self, forKey: .combinations)
    trainableParameters = try container.decode(Int.self, forKey: .trainableParameters)
    trainableShare = try container.decode(Double.self, forKey: .trainableShare)
    runs = try container.decode([SeedRun].self, forKey: .runs)
    measured = try container.decode(Measured.self, forKey: .measured)
    skippedImages = try container.decode([String].self, forKey: .skippedImages)
    notes = try container.decode([String].self, forKey: .notes)
  }

  /// Encodes all members; absent ones are left out.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(banyan, forKey: .banyan)
    try container.encode(engine, forKey: .engine)
    try container.encode(createdAt, forKey: .createdAt)
    try container.encode(command, forKey: .command)
    try container.encode(method, forKey: .method)
    try container.encode(methodTitle, forKey: .methodTitle)
    try container.encode(experiment, forKey: .experiment)
    try container.encode(model, forKey: .model)
    try container.encode(device, forKey: .device)
    try container.encode(threads, forKey: .threads)
    try container.encode(seeds, forKey: .seeds)
    try container.encode(tasks, forKey: .tasks)
    try container.encode(average, forKey: .average)
    try container.encodeIfPresent(combinations, forKey: .combinations)
    try container.encode(trainableParameters, forKey: .trainableParameters)
    try container.encode(trainableShare, forKey: .trainableShare)
    try container.encode(runs, forKey: .runs)
    try container.encode(measured, forKey: .measured)
    try container.encode(skippedImages, forKey: .skippedImages)
    try container.encode(notes, forKey: .notes)
  }
}

extension RunRecord {
  /// Reads the record of the finished run in `runFolder`.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` where the folder is absent or holds no finished run,
  ///   `malformed` with the key where the record is damaged.
  public static func read(_ runFolder: URL) throws -> RunRecord {
    let file = runFolder.appendingPathComponent(fileName)
    guard FileManager.default.fileExists(atPath: file.path) else {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: runFolder.path, isDirectory: &isFolder), isFolder.boolValue else {
        throw BanyanError(
          .missingInput, at: runFolder.path, "expected the folder of a run, found none",
          remedy: "Give the folder that the run was written to.")
      }
      throw BanyanError(
        .missingInput, at: runFolder.path, "no finished run here: \(fileName) is absent",
        remedy: "Give another folder, or finish the run by repeating its command with --resume.")
    }
    return try JSONDocument.read(from: file)
  }

  /// Writes the record into `runFolder`, whole or not at all.
  ///
  /// - Throws: A `BanyanError` of kind `failed` where it cannot be written or holds a number that is not finite.
  public func write(_ runFolder: URL) throws {
    try JSONDocument.write(self, to: runFolder.appendingPathComponent(Self.fileName), sealed: true)
  }
}
