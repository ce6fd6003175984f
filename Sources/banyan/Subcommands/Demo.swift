import ArgumentParser
import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTasks
import BanyanTraining
import BanyanWorlds
import Foundation

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Does the main job on a drawn world with the CLIP that ships: methods side by side, in two minutes.",
    discussion: """
      Draws the world `mixed`, trains the methods that learn on features computed once, with three seeds, shows the tree \
      of tasks beside the planted one and the table of methods, and classifies a picture under every task. \
      Nothing is fetched. A stopped demo goes on with the same command. Methods that train through the image \
      tower take longer: name them with --methods, or run Experiments/demo/all-methods.json with `banyan experiment`.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("Where everything goes.", valueName: "folder"))
  var output = "runs/demo"

  @Option(
    help: ArgumentHelp("Which world: \(WorldPreset.words) (default: mixed).", valueName: "name"),
    transform: WorldPreset.argument)
  var preset = WorldPreset.mixed

  @Option(help: ArgumentHelp("Training pictures per class.", valueName: "k"))
  var shots = 2

  @Option(help: ArgumentHelp("Pictures of every class of every task that are drawn.", valueName: "count"))
  var pictures = 30

  @Option(help: ArgumentHelp("These methods, separated by commas (default: the quick ones).", valueName: "names"))
  var methods: String?

  @Flag(help: "Begin again where the output folder already holds a demo.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json; json gives the table of methods.", valueName: "format"))
  var format = ResultFormat.text

  func run() throws {
    let folder = URL(fileURLWithPath: output)
    let names =
      try methods.map { try $0.split(separator: ",").map { try MethodCatalog.entry(String($0)).descriptor.name } }
      ?? MethodCatalog.entries.map(\.descriptor.name).filter { Self.settings(of: $0) != nil }
    guard !names.isEmpty else {
      throw BanyanError(.usage, at: "--methods", "names no method", remedy: "See `banyan methods`, or leave it out.")
    }
    // What ships must be there before anything is drawn.
    _ = try EmbeddedCheckpoint.folder()
    let world = folder.appendingPathComponent("world")
    let isNew = try draw(world)
    let records = try names.map { try train($0, world: world, in: folder, anew: isNew) }
    let table = ComparisonTable(records)
    if format == .json { return Terminal.result(try table.json()) }
    let width = Terminal.width
    let tree = records.last { $0.record.runs.contains { $0.tree != nil } }
    if let tree {
      var first = tree.record
      first.runs = Array(first.runs.prefix(1))
      if let text = try first.structureText(width: width) { Terminal.result(text) }
      if let planted = try PlantedTree(of: tree.record) {
        Terminal.result("\n" + (try planted.report(tree.record, width: width)))
      }
    }
    let seeds = (records.first?.record.seeds ?? []).map(String.init).joined(separator: ", ")
    let shotText = "\(shots) training picture\(shots == 1 ? "" : "s") per class"
    Terminal.result("\nTop-1 accuracy in per cent, \(shotText), mean ± standard deviation over seeds \(seeds)\n")
    Terminal.result(table.text(width: width))
    try classify((tree ?? records.last)?.name, in: folder, world: world)
    if !quiet { try next(folder, records) }
  }

  /// Draws the world unless the folder holds the very same one; whether it did.
  private func draw(_ folder: URL) throws -> Bool {
    let writer = try WorldFolder(World(preset, seed: 7), picturesPerClass: pictures)
    if !overwrite, try WorldSummary.read(folder: folder) == writer.summary { return false }
    try writer.draw(to: folder, isQuiet: quiet)
    return true
  }

  /// What was chosen for the demo's methods.
  private static func settings(of method: String) -> URL? {
    try? ResourceFolder.url(target: "banyan", path: "demo/\(method).json")
  }

  private func train(_ method: String, world: URL, in folder: URL, anew: Bool) throws -> NamedRecord {
    // What was chosen for the method, or what serves every method that nobody has tuned.
    let settings = try Self.settings(of: method) ?? ResourceFolder.url(target: "banyan", path: "demo/default.json")
    var experiment = try Experiment(JSONDocument.read(JSONValue.self, from: settings), subject: settings.path)
    experiment.model = EmbeddedCheckpoint.name
    experiment.method = method
    experiment.tasks = world.path
    experiment.samples = .shots(shots)
    let output = folder.appendingPathComponent(method)
    let reporter = ProgressReporter(isQuiet: quiet)
    let interruption = Interruption()
    defer { reporter.finish() }
    if !quiet { Terminal.note("== \(method)") }
    let run = try ExperimentRun(
      experiment, output: output, cache: folder.appendingPathComponent("features"), command: CommandLine.arguments,
      observer: ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested }))
    do {
      let goesOn = RunFolder(output).holdsRun && !overwrite && !anew
      return NamedRecord(name: method, record: try run.run(goesOn ? .resume : .overwrite))
    } catch let error as BanyanError where error.kind == .interrupted {
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); everything so far is saved",
        remedy: "Go on with the same command.")
    }
  }

  /// One picture under every task: what each would call it.
  private func classify(_ method: String?, in folder: URL, world: URL) throws {
    guard let method else { return }
    let finished = try FinishedRun(folder.appendingPathComponent(method))
    try finished.useItsThreads()
    let seed = try finished.seed(nil)
    guard let run = finished.record.runs.first(where: { $0.seed == seed }), let split = run.split.first else { return }
    // A class that most tasks know, so that their answers can be compared.
    func known(_ sample: RecordedSample) -> Int {
      let name = URL(fileURLWithPath: sample.path).deletingLastPathComponent().lastPathComponent
      return run.tasks.values.count { $0.perClass[name] != nil }
    }
    let most = split.test.map(known).max() ?? 0
    guard let sample = split.test.first(where: { known($0) == most }) else { return }
    let path = URL(fileURLWithPath: sample.path, relativeTo: URL(fileURLWithPath: world.path + "/")).path
    let classifier = try PictureClassifier(finished, seed: seed)
    let picture = try classifier.picture(at: URL(fileURLWithPath: path))
    let truth = URL(fileURLWithPath: path).deletingLastPathComponent().lastPathComponent
    Terminal.result("\nA test picture of \(split.task) (\(truth)), \(path), with \(finished.record.methodTitle)")
    let width = classifier.taskNames.map(\.count).max() ?? 0
    for task in classifier.taskNames {
      let words = try classifier.guesses(picture, task: task, count: 3).map {
        "\($0.name) \(($0.probability * 100).formatted(.number.precision(.fractionLength(1)))) %"
      }
      Terminal.result(
        "  \(task.padding(toLength: width, withPad: " ", startingAt: 0))  \(words.joined(separator: ", "))")
    }
  }

  private func next(_ folder: URL, _ records: [NamedRecord]) throws {
    let place = ShellWord.quoted(folder.relativePath)
    let best = records.last?.name ?? "METHOD"
    Terminal.note(
      """

      Saved in \(folder.path): world/ (pictures, captions.csv, tasks.json, world.json) and for every method prompts, \
      classifiers and record.json.
      Next:
        banyan compare \(place)/*/ --baseline \(records.first?.name ?? "METHOD")
        banyan tree \(place)/\(best)
        banyan classify --run \(place)/\(best) PICTURE…
      With your own pictures, laid out as <task>/<class>/<image>, and a CLIP from Hugging Face in a folder:
        banyan train --model CLIP --tasks PICTURES --method \(best) --shots 8
      """)
  }
}
