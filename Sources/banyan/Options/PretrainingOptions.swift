import ArgumentParser
import BanyanFoundation
import BanyanTraining
import Foundation

/// Everything that describes a pre-training: a file, flags for what is set most often, and `--set` for the rest.
///
/// Later words win: defaults, then `--config`, then flags, then `--set`.
struct PretrainingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Settings file: JSON with what differs from the defaults.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Captioned pictures: a CSV (path,caption,split,…), JSON lines (file_name,text), or a folder that holds one of them "
        + "or a .txt beside every picture.", valueName: "path"))
  var data: String?

  @Option(
    help: ArgumentHelp("Use the tokenizer of this folder (default: learn one from the captions).", valueName: "folder"))
  var tokenizer: String?

  @Option(help: ArgumentHelp("Of weights, batches and views (default: 1).", valueName: "n"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("Passes of contrastive training; fractions are allowed (default: 10).", valueName: "n"))
  var epochs: Double?

  @Option(help: ArgumentHelp("Steps of contrastive training, in place of epochs.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Passes of the warm-up on attributes; 0 leaves it out (default: 3).", valueName: "n"))
  var warmupEpochs: Double?

  @Option(help: ArgumentHelp("Steps of the warm-up, in place of epochs.", valueName: "n"))
  var warmupSteps: Int?

  @Option(help: ArgumentHelp("Pictures per step (default: 256).", valueName: "n"))
  var batchSize: Int?

  @Option(help: ArgumentHelp("Highest rate of both phases (default: 0.001).", valueName: "rate"))
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "Share of its patches that a picture loses while training, 0 to 0.9: faster, less exact (default: 0).",
      valueName: "share"))
  var patchDropping: Double?

  @Option(help: ArgumentHelp("cpu, cuda or mps (default: cpu).", valueName: "device"))
  var device: String?

  @Option(help: ArgumentHelp("Threads of one op (default: all cores).", valueName: "n"))
  var threads: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Any setting, such as geometry.image.width=192 or augmentation.minimumScale=1.", valueName: "key=value"))
  var assignments: [String] = []

  func validate() throws {
    if epochs != nil && steps != nil { throw ValidationError("Give either --epochs or --steps.") }
    if warmupEpochs != nil && warmupSteps != nil {
      throw ValidationError("Give either --warmup-epochs or --warmup-steps.")
    }
  }

  /// The settings that the options describe, laid over `base`.
  func settings(over base: PretrainingSettings) throws -> PretrainingSettings {
    var settings = base
    if let config {
      let url = URL(fileURLWithPath: config)
      settings = try PretrainingSettings(JSONDocument.read(from: url), over: settings, subject: config)
    }
    for (subject, overlay) in try flags() + assignments.map({ ("--set \($0)", try Settings.overlay(assignment: $0)) }) {
      settings = try PretrainingSettings(overlay, over: settings, subject: subject)
    }
    // A record must find its data again from any folder.
    if !settings.data.isEmpty { settings.data = URL(fileURLWithPath: settings.data).standardizedFileURL.path }
    settings.tokenizer = settings.tokenizer.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    return settings
  }

  private func flags() throws -> [(String, JSONValue)] {
    func integer(_ value: Int?) -> JSONValue? { value.map { .integer(Int64($0)) } }
    if let seed, seed > UInt64(Int64.max) {
      throw BanyanError(.usage, at: "--seed \(seed)", "expected a number from 0 to \(Int64.max)")
    }
    let given: [(flag: String, key: String, value: JSONValue?)] = [
      ("data", "data", data.map(JSONValue.string)),
      ("tokenizer", "tokenizer", tokenizer.map(JSONValue.string)),
      ("seed", "seed", seed.map { .integer(Int64($0)) }),
      ("epochs", "contrastive.epochs", epochs.map(JSONValue.number)),
      ("steps", "contrastive.steps", integer(steps)),
      ("warmup-epochs", "warmup.epochs", warmupEpochs.map(JSONValue.number)),
      ("warmup-steps", "warmup.steps", integer(warmupSteps)),
      ("batch-size", "batchSize", integer(batchSize)),
      ("learning-rate", "warmup.learningRate", learningRate.map(JSONValue.number)),
      ("learning-rate", "contrastive.learningRate", learningRate.map(JSONValue.number)),
      ("patch-dropping", "patchDropping", patchDropping.map(JSONValue.number)),
      ("device", "device", device.map(JSONValue.string)),
      ("threads", "threads", integer(threads)),
    ]
    return given.compactMap { flag, key, value in
      value.map { ("--\(flag)", key.split(separator: ".").reversed().reduce($0) { .object([String($1): $0]) }) }
    }
  }
}
