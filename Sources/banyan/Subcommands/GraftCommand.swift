import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation

struct GraftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graft",
    abstract: "Adds tasks to a trained tree without training the rest again.",
    discussion: """
      A new task is compared with the old ones by their gradients, becomes a leaf where it belongs, starts from the prompt that \
      serves it best and learns its own prompt alone: old prompts and answers stay the same to the bit. With --refine the \
      prompts above it learn on, no further than lets every old task keep its validation accuracy within --margin. \
      The result is a run like any other; the same command goes on with seeds that are left.

        banyan graft --run runs/hipro --tasks new-pictures
        banyan graft --run runs/hipro --tasks new-pictures --only clipart --refine --margin 0.02 --output runs/refined
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("A finished run of a method with a tree.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("The new tasks, in any layout that `banyan train` takes.", valueName: "path"))
  var tasks: String

  @Option(help: ArgumentHelp("Add these tasks only, separated by commas.", valueName: "names"))
  var only: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the run with the new tasks is written (default: <run>-grafted).", valueName: "folder"))
  var output: String?

  @Flag(help: "Let the prompts above the new leaves learn on.")
  var refine = false

  @Option(
    help: ArgumentHelp(
      "The most validation accuracy that a task may lose by --refine, over all new tasks.", valueName: "share"))
  var margin: Double?

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @Flag(help: "Replace a run that lies there.")
  var overwrite = false

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json (the decisions).", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if let only, only.split(separator: ",").isEmpty { throw ValidationError("--only: name a task or more.") }
    if margin != nil, !refine { throw ValidationError("--margin goes with --refine.") }
  }

  /// Beside the run.
  private var defaultOutput: URL {
    let run = URL(fileURLWithPath: folder)
    return run.deletingLastPathComponent().appending(path: "\(run.lastPathComponent)-grafted")
  }

  func run() throws {
    let finished = try FinishedRun(URL(fileURLWithPath: folder))
    let target = output.map { URL(fileURLWithPath: $0) } ?? defaultOutput
    let interruption = Interruption()
    let reporter = ProgressReporter(isQuiet: quiet)
    defer { reporter.finish() }
    let graft = Graft(
      finished, tasks: tasks, only: only.map { $0.split(separator: ",").map(String.init) } ?? [],
      refinement: refine ? .init(margin: margin ?? 0.02) : nil, output: target,
      model: model.map { URL(fileURLWithPath: $0) }, cache: cache.root, command: CommandLine.arguments,
      observer: ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested }))
    let existing: RunFolder.Existing =
      overwrite ? .overwrite : RunFolder(target).holdsRun && !RunFolder(target).holdsRecord ? .resume : .refuse
    let record: RunRecord
    do {
      record = try graft.run(existing)
    } catch let error as BanyanError where error.kind == .interrupted {
      reporter.finish()
      let words = ["banyan"] + CommandLine.arguments.dropFirst().filter { $0 != "--overwrite" }
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); the seeds that are done are kept",
        remedy: "Go on with: \(ShellWord.line(words))")
    }
    reporter.finish()
    let decisions = try JSONDocument.read([GraftDecision].self, from: target.appending(path: GraftDecision.fileName))
    switch format {
    case .json: Terminal.result(try JSONDocument.data(decisions, subject: "decisions"))
    case .text: Terminal.result(GraftDecision.text(decisions, record: record, width: Terminal.width))
    }
    if !quiet { Terminal.note("Wrote \(target.relativePath); ask it as any run: banyan classify, serve, tree.") }
  }
}
