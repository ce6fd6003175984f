import ArgumentParser
import BanyanFoundation
import BanyanPainting
import BanyanReports
import BanyanTraining
import Foundation

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Learns prompts for all tasks and saves them with a record of the run.",
    discussion: """
      Pictures pass the frozen image tower once; their features are kept and shared by all runs. Progress goes to \
      stderr, the table of results to stdout.

      Ctrl-C saves and says how to go on; a run that was killed goes on with --resume and ends with the same bytes.
      """)

  @OptionGroup(title: "Experiment") var options: ExperimentOptions
  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Where the run goes (default: runs/<method>).", valueName: "folder"))
  var output: String?

  @Flag(help: "Go on with the run in the output folder.")
  var resume = false

  @Flag(help: "Replace the run in the output folder.")
  var overwrite = false

  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp("Repeat a finished run: its settings and the very pictures it drew.", valueName: "run"))
  var repeated: String?

  @Option(
    help: ArgumentHelp(
      "Also write losses, rate, accuracies, settings and figures into a folder of this one, for TensorBoard.",
      valueName: "folder"), completion: .directory)
  var tensorboard: String?

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("How the result is written: text or json.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if resume && overwrite { throw ValidationError("Give either --resume or --overwrite.") }
  }

  func run() throws {
    let earlier = try repeated.map { try FinishedRun(URL(fileURLWithPath: $0)) }
    var base = earlier?.experiment ?? Experiment()
    if resume {
      // Without further words the folder itself says what to do.
      let path = output ?? "runs/\(options.method ?? base.method)"
      let folder = RunFolder(URL(fileURLWithPath: path))
      guard folder.holdsRun else {
        throw BanyanError(
          .missingInput, at: "--output \(path)", "there is no run to resume",
          remedy: "Leave --resume out to begin one.")
      }
      base = try Experiment(JSONDocument.read(JSONValue.self, from: folder.experiment), subject: folder.experiment.path)
    }
    let experiment = try options.experiment(over: base)
    if let earlier { try refuseOtherDraw(experiment, earlier.experiment) }
    let folder = URL(fileURLWithPath: output ?? "runs/\(experiment.method)")
    let reporter = ProgressReporter(isQuiet: quiet)
    let interruption = Interruption()
    defer { reporter.finish() }
    let observer = ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested })
    let board = try tensorboard.map {
      try TensorBoardObserver(
        URL(fileURLWithPath: $0).appending(path: folder.lastPathComponent), experiment: experiment,
        isContinued: resume, inner: observer)
    }
    let run = try ExperimentRun(
      experiment, output: folder, cache: cache.root, command: CommandLine.arguments, repeating: earlier?.record,
      observer: board?.observer ?? observer)
    let record: RunRecord
    do {
      record = try run.run(resume ? .resume : overwrite ? .overwrite : .refuse)
    } catch let error as BanyanError where error.kind == .interrupted {
      reporter.finish()
      // The drawn pictures are not among the settings, so a repeated run must be named again.
      let words = ["--resume", "--output", folder.path] + (repeated.map { ["--repeat", $0] } ?? [])
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); everything so far is saved",
        remedy: "Go on with: banyan train \(ShellWord.line(words))")
    }
    reporter.finish()
    if let board {
      do {
        let page = try ReportPage([NamedRecord(name: folder.lastPathComponent, record: record)])
        try board.add(
          page.figures.map { figure in
            let picture = try FigurePainter(scale: 1.5)(figure)
            return (figure.name, picture.png, picture.width, picture.height)
          })
      } catch let error as BanyanError {
        // The run itself is finished and saved.
        Terminal.note("note: figures are not in the log: \(error)")
      }
    }
    try show(record, folder)
  }

  /// A repeated run uses the recorded pictures, so that settings which would draw others contradict it.
  private func refuseOtherDraw(_ experiment: Experiment, _ recorded: Experiment) throws {
    let changed = [
      ("samples", experiment.samples != recorded.samples), ("tasks", experiment.tasks != recorded.tasks),
      ("validationShots", experiment.validationShots != recorded.validationShots),
      ("seeds", !Set(experiment.seeds).isSubset(of: recorded.seeds)),
      ("data.only", experiment.data.only != recorded.data.only),
    ].filter(\.1).map(\.0)
    guard changed.isEmpty else {
      throw BanyanError(
        .usage, at: "--repeat",
        "repeats the recorded draw of pictures, but \(changed.joined(separator: " and ")) "
          + "would draw others", remedy: "Leave these settings out, or leave --repeat out.")
    }
  }

  private func show(_ record: RunRecord, _ folder: URL) throws {
    let table = ComparisonTable([NamedRecord(name: folder.lastPathComponent, record: record)])
    switch format {
    case .json: Terminal.result(try table.json())
    case .text:
      Terminal.result(table.text(width: Terminal.width))
      if let combinations = CombinationTable(record) {
        Terminal.result("\n" + combinations.text(width: Terminal.width))
      }
      if !quiet {
        Terminal.note("\nSaved in \(folder.path). Next:")
        Terminal.note("  banyan compare \(folder.deletingLastPathComponent().relativePath)/*")
        if record.runs.contains(where: { $0.tree != nil }) { Terminal.note("  banyan tree \(folder.relativePath)") }
        let task = record.taskNames.first ?? "TASK"
        Terminal.note("  banyan classify --run \(folder.relativePath) --task \(task) PICTURE…")
      }
    }
  }
}
