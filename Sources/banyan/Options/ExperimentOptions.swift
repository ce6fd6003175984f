import ArgumentParser
import BanyanCLIP
import BanyanFoundation
import BanyanTraining
import Foundation

/// Everything that describes an experiment: a file, flags for what is set most often, and `--set` for the rest.
///
/// Later words win: defaults, then `--config`, then flags, then `--set`.
struct ExperimentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Experiment file: JSON with what differs from the defaults.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp("The CLIP: a folder with config.json and model.safetensors, or `embedded`.", valueName: "folder")
  )
  var model: String?

  @Option(
    help: ArgumentHelp(
      "The tasks: a folder <task>/<class>/<image>, a CSV (path,label,task,split), split JSON or list files.",
      valueName: "path"))
  var tasks: String?

  @Option(help: ArgumentHelp("Use these tasks only, separated by commas.", valueName: "names"))
  var only: String?

  @Option(
    help: ArgumentHelp(
      "The folder that paths in a CSV, split file or list start from (default: the file's own).",
      valueName: "folder"))
  var imageRoot: String?

  @Option(help: ArgumentHelp("What is trained; `banyan methods` lists them (default: hipro).", valueName: "name"))
  var method: String?

  @Option(help: ArgumentHelp("Training pictures per class (default: 16).", valueName: "k"))
  var shots: Int?

  @Option(help: ArgumentHelp("Training pictures as a share of each class, in percent.", valueName: "p"))
  var percentage: Double?

  @Option(help: ArgumentHelp("Held-out pictures per class (default: the smaller of the shots and 4).", valueName: "k"))
  var validationShots: Int?

  @Option(help: ArgumentHelp("One run per seed, separated by commas (default: 1,2,3).", valueName: "list"))
  var seeds: String?

  @Option(help: ArgumentHelp("Methods with a tree: per-node, combined or both (default: per-node).", valueName: "name"))
  var objective: String?

  @Option(
    help: ArgumentHelp(
      "Methods with a tree: individual, shared, average or learned (default: average).", valueName: "name"))
  var combine: String?

  @Option(
    help: ArgumentHelp(
      "How tasks are compared: \(AffinitySettings.Kind.allCases.map(\.rawValue).joined(separator: ", ")) "
        + "(default: gradient-cosine for a tree, gradient-dot for groups).", valueName: "kind"))
  var affinity: String?

  @Option(
    help: ArgumentHelp(
      "Methods with groups: \(GroupChoice.names.joined(separator: ", ")), or a JSON file of lists of task names "
        + "(default: auto).", valueName: "choice"))
  var groups: String?

  @Option(
    help: ArgumentHelp(
      "Methods with groups: prompts of each task beside its group's (default: yes).", valueName: "yes|no"))
  var taskSpecific: String?

  @Option(help: ArgumentHelp("Context vectors of a prompt (default: 16).", valueName: "M"))
  var contextLength: Int?

  @Option(help: ArgumentHelp("sgd or adamw (default: sgd).", valueName: "name"))
  var optimizer: String?

  @Option(help: ArgumentHelp("Rate after the warm-up (default: 0.002).", valueName: "rate"))
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "Sharpness-aware steps: each task's gradient is taken so far uphill, in two passes (default: off).",
      valueName: "ρ"))
  var sam: Double?

  @Option(
    help: ArgumentHelp(
      "How tasks' gradients become one step where parameters are shared: "
        + GradientAggregation.allCases.map(\.rawValue).joined(separator: ", ") + " (default: sum).", valueName: "name"))
  var aggregate: String?

  @Option(help: ArgumentHelp("Passes over the largest task (default: 50).", valueName: "n"))
  var epochs: Int?

  @Option(help: ArgumentHelp("Pictures per task and step (default: 32).", valueName: "n"))
  var batchSize: Int?

  @Option(help: ArgumentHelp("Stop after so many epochs without a lower validation loss.", valueName: "n"))
  var earlyStopping: Int?

  @Option(
    help: ArgumentHelp("Seeded random crops per training picture (default: 0, the plain picture).", valueName: "n"))
  var augmentedViews: Int?

  @Flag(help: "Leave pictures out that cannot be decoded, and list them.")
  var skipUnreadable = false

  @Flag(help: "Leave out pictures whose contents occur in two splits or under two labels, and list them.")
  var dropDuplicates = false

  @Option(help: ArgumentHelp("cpu, cuda or mps (default: cpu).", valueName: "device"))
  var device: String?

  @Option(
    help: ArgumentHelp(
      "In what numbers frozen towers multiply: fp32 or bf16, which rounds their weights and inputs (default: fp32).",
      valueName: "name"))
  var precision: String?

  @Option(help: ArgumentHelp("Threads of one op (default: all cores; 1 for towers narrower than 256).", valueName: "n"))
  var threads: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Any setting of the experiment, such as training.decay=linear or options.context.position=front.",
      valueName: "key=value"))
  var assignments: [String] = []

  func validate() throws {
    if shots != nil && percentage != nil { throw ValidationError("Give either --shots or --percentage.") }
  }

  /// The experiment that the options describe, laid over `base`.
  func experiment(over base: Experiment = Experiment()) throws -> Experiment {
    var experiment = base
    if let config {
      let url = URL(fileURLWithPath: config)
      experiment = try Experiment(JSONDocument.read(JSONValue.self, from: url), over: experiment, subject: config)
    }
    for (subject, overlay) in try flags() + sets() {
      experiment = try Experiment(overlay, over: experiment, subject: subject)
    }
    // A record must find its data again from any folder.
    for path in [\Experiment.model, \Experiment.tasks]
    where !experiment[keyPath: path].isEmpty && experiment[keyPath: path] != EmbeddedCheckpoint.name {
      experiment[keyPath: path] = URL(fileURLWithPath: experiment[keyPath: path]).standardizedFileURL.path
    }
    return experiment
  }

  private func flags() throws -> [(String, JSONValue)] {
    var list: [(String, JSONValue)] = []
    func add(_ flag: String, _ key: String, _ value: JSONValue?) {
      guard let value else { return }
      let tree = key.split(separator: ".").reversed().reduce(value) { .object([String($1): $0]) }
      list.append(("--\(flag)", tree))
    }
    func names(_ text: String?) -> JSONValue? {
      text.map { .array($0.split(separator: ",").map { .string(String($0)) }) }
    }
    add("model", "model", model.map(JSONValue.string))
    add("tasks", "tasks", tasks.map(JSONValue.string))
    add("only", "data.only", names(only))
    add("image-root", "data.imageRoot", imageRoot.map { .string(URL(fileURLWithPath: $0).standardizedFileURL.path) })
    add("method", "method", method.map(JSONValue.string))
    add("shots", "samples", shots.map { .string("\($0) shots") })
    add("percentage", "samples", percentage.map { .string("\($0)%") })
    add("validation-shots", "validationShots", validationShots.map { .integer(Int64($0)) })
    if let seeds { add("seeds", "seeds", .array(try seedList(seeds))) }
    add("objective", "options.objective", objective.map(JSONValue.string))
    add("combine", "options.combine", combine.map(JSONValue.string))
    add("affinity", "affinity.kind", affinity.map(JSONValue.string))
    add("groups", "affinity.groups", try groups.map(groupSetting))
    add("task-specific", "options.taskSpecific", try taskSpecific.map(yesOrNo).map(JSONValue.bool))
    add("context-length", "options.context.length", contextLength.map { .integer(Int64($0)) })
    add("optimizer", "training.optimizer", optimizer.map(JSONValue.string))
    add("learning-rate", "training.learningRate", learningRate.map(JSONValue.number))
    add("sam", "training.sharpness", sam.map(JSONValue.number))
    add("aggregate", "training.aggregate", aggregate.map(JSONValue.string))
    add("epochs", "training.epochs", epochs.map { .integer(Int64($0)) })
    add("batch-size", "training.batchSize", batchSize.map { .integer(Int64($0)) })
    add("early-stopping", "training.earlyStopping", earlyStopping.map { .integer(Int64($0)) })
    add("augmented-views", "data.augmentedViews", augmentedViews.map { .integer(Int64($0)) })
    add("skip-unreadable", "data.skipUnreadable", skipUnreadable ? .bool(true) : nil)
    add("drop-duplicates", "data.dropDuplicates", dropDuplicates ? .bool(true) : nil)
    add("device", "device", device.map(JSONValue.string))
    add("precision", "precision", precision.map(JSONValue.string))
    add("threads", "threads", threads.map { .integer(Int64($0)) })
    return list
  }

  private func groupSetting(_ text: String) throws -> JSONValue {
    if GroupChoice(word: text) != nil { return .string(text) }
    let url = URL(fileURLWithPath: text)
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw BanyanError(
        .usage, at: "--groups \(text)", "is neither a file nor one of \(GroupChoice.names.joined(separator: ", "))",
        remedy: NearNames.remedy(for: text, among: GroupChoice.names))
    }
    return try JSONDocument.read(JSONValue.self, from: url)
  }

  private func yesOrNo(_ text: String) throws -> Bool {
    guard ["yes", "no"].contains(text) else {
      throw BanyanError(.usage, at: "--task-specific \(text)", "expected yes or no")
    }
    return text == "yes"
  }

  private func sets() throws -> [(String, JSONValue)] {
    try assignments.map { ("--set \($0)", try Settings.overlay(assignment: $0)) }
  }

  private func seedList(_ text: String) throws -> [JSONValue] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let seed = Int64(part.trimmingCharacters(in: .whitespaces)), seed >= 0 else {
        throw BanyanError(
          .usage, at: "--seeds \(text)", "expected numbers from 0 to \(Int64.max), separated by commas",
          remedy: "For example --seeds 1,2,3.")
      }
      return .integer(seed)
    }
  }
}
