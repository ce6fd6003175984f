import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTraining
import Foundation

struct Recommend: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says which saved run should serve a new task.",
    discussion: """
      Every task of every run, and every new task, is embedded by the runs' own image tower; the nearest task's run comes \
      first. A run that was trained far from the trivial task is preferred (alpha). With --measure every expert is tried on \
      the new tasks' test pictures: a run that has changed the image tower gets a new linear classifier, one that has learned \
      words puts them before the new class names. An expert that has seen pictures of the task is left out.

        banyan recommend --run runs/hipro --run runs/mmap --tasks new-pictures --shots 8
        banyan recommend --run runs/hipro --tasks new-pictures --measure --figure experts.svg
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("A finished run; may be given again.", valueName: "folder"))
  var runs: [String]

  @OptionGroup(title: "Tasks") var tasks: TaskOptions

  @Option(help: ArgumentHelp("Labelled pictures per class at hand.", valueName: "k"))
  var shots = 16

  @Option(
    help: ArgumentHelp("Of everything that is drawn, and which of a run's (default: its first).", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("How much distance from the trivial task counts.", valueName: "α"))
  var alpha = EmbeddingDistance.defaultAlpha

  @Option(help: ArgumentHelp("Pictures drawn for an embedding.", valueName: "n"))
  var draws = 1000

  @Flag(help: "Measure every expert's error on every task.")
  var measure = false

  @Option(
    help: ArgumentHelp("Write the errors and distances as an SVG figure.", valueName: "file"), completion: .file())
  var figure: String?

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if runs.isEmpty { throw ValidationError("Name one run or more with --run.") }
  }

  func run() throws {
    let reporter = ProgressReporter(isQuiet: quiet)
    defer { reporter.finish() }
    let interruption = Interruption()
    let observer = ExperimentObserver(
      report: { reporter.report($0) }, shouldStop: { interruption.isRequested })
    let finished = try runs.map { try FinishedRun(URL(fileURLWithPath: $0)) }
    try finished[0].useItsThreads()
    let bench = try finished[0].workbench(model: model.map { URL(fileURLWithPath: $0) }, cache: cache.root)
    let experts = try finished.flatMap { try Expert.all($0, seed: seed, bench: bench, observer: observer) }
    let suite = try tasks.suite()
    var settings = EmbeddingSettings()
    settings.draws = draws
    let recommendation = try Recommendation(
      experts, suite: suite, samples: .shots(shots), seed: seed ?? 1, settings: settings, alpha: alpha, bench: bench,
      observer: observer)
    let matrix = try recommendation.compare(measuring: measure, command: CommandLine.arguments).matrix
    reporter.finish()
    switch format {
    case .json: Terminal.result(try JSONDocument.data(matrix, subject: "recommendation"))
    case .text: Terminal.result(matrix.text(width: Terminal.width))
    }
    if let figure {
      try AtomicFile.write(Data(matrix.svg(name: "experts").utf8), to: URL(fileURLWithPath: figure))
      if !quiet { Terminal.note("Wrote \(figure).") }
    }
  }
}
