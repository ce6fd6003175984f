import ArgumentParser
import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTraining
import Foundation

struct MetaTaskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "meta-task",
    abstract:
      "Makes tasks from a taxonomy of classes, trains an expert on each, and checks which one embeddings select.",
    discussion: """
      The taxonomy is a CSV with the columns class, family and order. Every order with two classes or more is a task; one \
      that holds more than half of all classes is divided into its families. An expert is trained on each task and tried on all \
      others; the selection by embeddings, and by Model2Vec after learning from all other tasks, stands beside the best one. \
      Everything is kept in the output folder: the same command again goes on.

        banyan meta-task --model clip --tasks birds --taxonomy birds.csv --method vpt --shots 16 --output runs/birds
      """)

  @Option(help: ArgumentHelp("The CLIP: a folder, or `embedded`.", valueName: "folder"))
  var model: String

  @Option(help: ArgumentHelp("Pictures by class, as for `banyan train`.", valueName: "path"))
  var tasks: String

  @Option(help: ArgumentHelp("CSV with the columns class, family and order.", valueName: "file"), completion: .file())
  var taxonomy: String

  @Option(help: ArgumentHelp("How an expert is trained; `banyan methods` lists them.", valueName: "name"))
  var method = "fine-tuning"

  @Option(help: ArgumentHelp("Training pictures per class.", valueName: "k"))
  var shots = 16

  @Option(help: ArgumentHelp("Passes over a task's pictures.", valueName: "n"))
  var epochs: Int?

  @Option(help: ArgumentHelp("Of everything that is drawn.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Pictures drawn for an embedding.", valueName: "n"))
  var draws = 1000

  @Option(help: ArgumentHelp("How much distance from the trivial task counts.", valueName: "α"))
  var alpha = EmbeddingDistance.defaultAlpha

  @Option(help: ArgumentHelp("Fewest classes of a task.", valueName: "n"))
  var leastClasses = 2

  @Option(
    help: ArgumentHelp("Most classes of an order that stays whole (default: half of all).", valueName: "n"))
  var mostClasses: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Any setting of the experts' experiment, such as training.learningRate=0.0005.", valueName: "key=value"))
  var assignments: [String] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("Where everything is kept.", valueName: "folder"))
  var output: String

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func run() throws {
    let reporter = ProgressReporter(isQuiet: quiet)
    defer { reporter.finish() }
    let interruption = Interruption()
    let suite = try TaskSuite.load(tasks).divided(
      by: Taxonomy(contentsOf: URL(fileURLWithPath: taxonomy)), least: leastClasses, most: mostClasses)
    var experiment = Experiment()
    experiment.model = model == EmbeddedCheckpoint.name ? model : URL(fileURLWithPath: model).standardizedFileURL.path
    experiment.method = method
    experiment.samples = .shots(shots)
    experiment.validationShots = 0
    experiment.seeds = [seed]
    if let epochs { experiment.training.epochs = epochs }
    for assignment in assignments {
      experiment = try Experiment(
        Settings.overlay(assignment: assignment), over: experiment, subject: "--set \(assignment)")
    }
    var settings = EmbeddingSettings()
    settings.draws = draws
    let folder = URL(fileURLWithPath: output)
    let outcome: MetaTask.Outcome
    do {
      outcome = try MetaTask(
        suite, experiment: experiment, settings: settings, alpha: alpha, output: folder, cache: cache.root,
        command: CommandLine.arguments,
        observer: ExperimentObserver(
          report: { reporter.report($0) }, shouldStop: { interruption.isRequested })
      ).run()
    } catch let error as BanyanError where error.kind == .interrupted {
      reporter.finish()
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); everything so far is saved",
        remedy: "Go on with the same command.")
    }
    reporter.finish()
    let found = [("nearest", outcome.nearest)] + (outcome.learned.map { [("learned", $0)] } ?? [])
    for (name, matrix) in found {
      try AtomicFile.write(Data(matrix.svg(name: name).utf8), to: folder.appending(path: "\(name).svg"))
    }
    switch format {
    case .json: Terminal.result(try JSONDocument.data(found.map(\.1), subject: "meta-task"))
    case .text:
      for (index, (_, matrix)) in found.enumerated() {
        if index > 0 { Terminal.result("") }
        Terminal.result(matrix.text(width: Terminal.width, count: index == 0 ? 2 : 1))
      }
    }
    if !quiet { Terminal.note("Wrote \(found.map { "\($0.0).svg" }.joined(separator: " and ")) into \(output).") }
  }
}
