import BanyanFoundation
import BanyanReports

/// Small records to draw tables from.
enum SampleRecords {
  static func split(_ task: String, train: [String] = ["t1", "t2"], test: [String] = ["e1"]) -> RecordedSplit {
    func samples(_ hashes: [String]) -> [RecordedSample] {
      hashes.map { RecordedSample(path: "\(task)/\($0).png", label: 0, sha256: "\(task)-\($0)") }
    }
    return RecordedSplit(task: task, train: samples(train), validation: [], test: samples(test))
  }

  static func run(
    seed: UInt64, _ top1: [(String, Double)], train: [String] = ["t1", "t2"], test: [String] = ["e1"],
    combinations: [String: Double]? = nil
  ) -> SeedRun {
    var tasks: [String: SeedTaskResult] = [:]
    for (task, value) in top1 {
      tasks[task] = SeedTaskResult(
        top1: value, correct: Int(value * 1000), count: 1000, perClass: ["cat": value], confusion: [[1, 2], [3, 4]],
        expectedCalibrationError: value / 10,
        reliability: [ReliabilityBin(lower: 0, upper: 1, count: 1000, confidence: 0.5, accuracy: value)],
        initialLoss: 2, finalLoss: 1, combinations: combinations)
    }
    return SeedRun(
      seed: seed, split: top1.map { split($0.0, train: train, test: test) }, tasks: tasks, steps: 10,
      lossCurve: LossCurve(steps: [0, 9], tasks: ["art": [2, 1]]),
      chosenCombination: combinations.map { _ in "average" })
  }

  static func record(
    _ title: String, _ runs: [SeedRun], model: String = "abc", trained: Int = 8192, seconds: Double = 83.4
  ) -> RunRecord {
    RunRecord(
      banyan: "1.0.0", engine: "2.13.0", createdAt: "2026-01-02T03:04:05Z", command: ["banyan", "train"],
      method: title.lowercased(), methodTitle: title, experiment: .object(["seed": .integer(9_007_199_254_740_993)]),
      model: ModelSummary(path: "clip", sha256: model, parameters: 1_638_400, description: "ViT-B/16"), device: "cpu",
      threads: 2, trainableParameters: trained, runs: runs,
      measured: Measured(wallSeconds: ["training": 80, "total": seconds], peakMemoryBytes: 1 << 30))
  }

  static let coop = record(
    "CoOp", [run(seed: 1, [("art", 0.6), ("real world", 0.7)]), run(seed: 2, [("art", 0.62), ("real world", 0.74)])])
  static let hipro = record(
    "HiPro",
    [
      run(seed: 1, [("art", 0.64), ("real world", 0.7)], combinations: ["individual": 0.5, "average": 0.6]),
      run(seed: 2, [("art", 0.66), ("real world", 0.72)], combinations: ["individual": 0.6, "average": 0.7]),
    ], trained: 40960, seconds: 12.34)

  static func named(_ records: RunRecord...) -> [NamedRecord] {
    records.enumerated().map { NamedRecord(name: "run-\($0 + 1)", record: $1) }
  }
}
