import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanTasks
import BanyanTraining
import BanyanWorlds
import Foundation

struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Runs all methods and seeds of a protocol file, and shows one table.",
    discussion: """
      The file lists runs, what they share and the amounts of samples; Experiments/ has those of the papers. The plan \
      comes first, on stderr. Finished runs are skipped and stopped ones go on, so the same command again finishes a \
      stopped sweep. A run that fails does not stop the others. Runs lie in OUTPUT/<samples>/<name>.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, markdown }

  @Argument(help: "The protocol file.")
  var file: String

  @Flag(
    help: "Show the plan on stdout, train nothing and write nothing; a method that was never run is timed for a step.")
  var dryRun = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where all runs go (default: runs/<folder>-<name> of the file).", valueName: "folder"))
  var output: String?

  @Option(help: ArgumentHelp("The CLIP, in place of the file's.", valueName: "folder"))
  var model: String?

  @Option(help: ArgumentHelp("The tasks, in place of the file's.", valueName: "path"))
  var tasks: String?

  @Option(help: ArgumentHelp("The seeds, in place of the file's, separated by commas.", valueName: "list"))
  var seeds: String?

  @Option(help: ArgumentHelp("Only these runs, separated by commas.", valueName: "names"))
  var only: String?

  @Option(help: ArgumentHelp("Threads of one op (default: as `banyan train`).", valueName: "n"))
  var threads: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Any setting, for all runs, such as device=cuda.", valueName: "key=value"))
  var assignments: [String] = []

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Flag(help: "Replace runs whose folders hold other settings; finished runs with these settings stay.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "No plan, no progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text, json or markdown.", valueName: "format"))
  var format = Format.text

  func run() throws {
    let url = URL(fileURLWithPath: file)
    let sweep = try Sweep(contentsOf: url)
    let plan = try SweepPlan(
      sweep, file: url, output: URL(fileURLWithPath: output ?? "runs/\(Self.defaultName(url))"),
      only: (only ?? "").split(separator: ",").map(String.init), overlays: overlays())
    let world = try plan.world.map(checked)
    let states = plan.runs.map { $0.state() }
    let left = zip(plan.runs, states).filter { !$1.isDone }.map(\.0)
    let missing = try plan.missingInputs(of: left)
    // Tasks must lie somewhere before a step over them can be timed.
    if !dryRun, missing.isEmpty, let world, let place = plan.world?.folder, !left.isEmpty { try draw(world, to: place) }
    let table = try plan.table(states: states, estimator: StepTimer().estimator)
    let words = "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") not there"
    guard !dryRun else {
      Terminal.result(format == .json ? try planJSON(table) : table.text(width: Terminal.width))
      if !missing.isEmpty, !quiet { Terminal.note("note: \(words). \(sweep.data ?? "")") }
      return
    }
    if !quiet { Terminal.note(table.text(width: Terminal.width)) }
    guard missing.isEmpty else {
      throw BanyanError(
        .missingInput, at: url.relativePath, words, remedy: sweep.data ?? "Name other places with --model and --tasks.")
    }
    try show(run(plan), sweep)
  }

  /// `demo-all-methods` for `Experiments/demo/all-methods.json`.
  private static func defaultName(_ file: URL) -> String {
    let folder = file.deletingLastPathComponent().lastPathComponent
    return "\(folder)-\(file.deletingPathExtension().lastPathComponent)"
  }

  private func overlays() throws -> [(subject: String, overlay: JSONValue)] {
    var list: [(subject: String, overlay: JSONValue)] = []
    if let model { list.append(("--model", .object(["model": .string(model)]))) }
    if let tasks { list.append(("--tasks", .object(["tasks": .string(tasks)]))) }
    if let seeds { list.append(("--seeds \(seeds)", try Settings.overlay(assignment: "seeds=[\(seeds)]"))) }
    if let threads { list.append(("--threads", .object(["threads": .integer(Int64(threads))]))) }
    return list + (try assignments.map { ("--set \($0)", try Settings.overlay(assignment: $0)) })
  }

  /// The plan's world, checked, and refused where its folder holds another.
  private func checked(_ planned: (description: SweepWorld, folder: URL)) throws -> WorldFolder {
    let wanted = planned.description
    guard let preset = WorldPreset(rawValue: wanted.preset) else {
      throw BanyanError(
        .usage, at: "\(file): base.tasks.world.preset", "there is no world \(wanted.preset)",
        remedy: NearNames.remedy(for: wanted.preset, among: WorldPreset.allCases.map(\.rawValue)))
    }
    let writer = try WorldFolder(World(preset, seed: wanted.seed), picturesPerClass: wanted.pictures)
    if let there = try WorldSummary.read(folder: planned.folder), there != writer.summary {
      throw BanyanError(
        .usage, at: planned.folder.path, "the folder holds another world than this version draws",
        remedy: "Choose another --output.")
    }
    return writer
  }

  private func draw(_ world: WorldFolder, to folder: URL) throws {
    if try WorldSummary.read(folder: folder) == nil { try world.draw(to: folder, isQuiet: quiet) }
  }

  private func run(_ plan: SweepPlan) throws -> [SweepRunner.Outcome] {
    let reporter = ProgressReporter(isQuiet: quiet)
    let interruption = Interruption()
    let isQuiet = quiet
    defer { reporter.finish() }
    let runner = SweepRunner(
      cache: cache.root, command: CommandLine.arguments, overwrites: overwrite,
      observer: ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested })
    ) { event in
      reporter.finish()
      switch event {
      case .begins(let run, let index, let count):
        if !isQuiet { Terminal.note("== \(run.title), \(index + 1) of \(count)") }
      case .failed(let run, let error): Terminal.note("failed: \(run.title): \(error)")
      }
    }
    do {
      return try runner.run(plan)
    } catch let error as BanyanError where error.kind == .interrupted {
      reporter.finish()
      let words = ShellWord.line(CommandLine.arguments.dropFirst())
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); everything so far is saved",
        remedy: "Go on with the same command: banyan \(words)")
    }
  }

  private func show(_ outcomes: [SweepRunner.Outcome], _ sweep: Sweep) throws {
    var groups: [(samples: String, runs: [(run: NamedRecord, paper: String?)])] = []
    var failures: [String: String] = [:]
    for outcome in outcomes {
      switch outcome.result {
      case .failure(let error): failures[outcome.run.title] = "\(error)"
      case .success(let record):
        let samples = outcome.run.experiment.samples.description
        if groups.last?.samples != samples { groups.append((samples, [])) }
        let named = NamedRecord(name: outcome.run.name, record: record)
        groups[groups.count - 1].runs.append((named, outcome.run.expected))
      }
    }
    let report = SweepReport(
      title: sweep.title, paper: sweep.paper, tables: groups.map { SweepTable(samples: $0.samples, runs: $0.runs) },
      failures: failures)
    switch format {
    case .text: Terminal.result(report.text(width: Terminal.width))
    case .markdown: Terminal.result(report.markdown)
    case .json: Terminal.result(try report.json())
    }
    guard failures.isEmpty else {
      let lines = failures.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
      throw BanyanError(
        .failed, at: file,
        (["\(failures.count) of \(outcomes.count) runs failed"] + lines).joined(separator: "\n"),
        remedy: "Do away with the cause and give the same command again; what is done is skipped.")
    }
  }

  private func planJSON(_ table: SweepPlanTable) throws -> String {
    String(decoding: try JSONDocument.data(table, subject: "plan"), as: UTF8.self)
  }
}
