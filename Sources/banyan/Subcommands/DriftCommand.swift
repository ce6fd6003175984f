import ArgumentParser
import BanyanEvaluation
import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation

struct DriftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift",
    abstract: "Says which tasks' pictures have changed since the run was trained.",
    discussion: """
      Compares what `banyan serve --traffic` kept of late (features, confidences and answers; no pictures) with the run's own test \
      pictures: mean and covariance of features, what lies outside of their main directions, confidence, and the mix of \
      answers. P-values come from random divisions of both sets together, so that a false alarm is as rare as --level \
      says over all tasks of one call. Exits with 3 where a task has moved, so that a watch can call it.

        banyan serve --run runs/hipro --traffic traffic.safetensors
        banyan drift --run runs/hipro --traffic traffic.safetensors
        banyan drift --run runs/hipro --pictures new-pictures     pictures in folders, <task>/<any class>/<image>
      """)

  @OptionGroup(title: "Run") var finished: FinishedRunOptions

  @Option(help: ArgumentHelp("What a service kept.", valueName: "file"), completion: .file())
  var traffic: String?

  @Option(help: ArgumentHelp("Or pictures themselves, in any layout that `banyan train` takes.", valueName: "path"))
  var pictures: String?

  @Option(help: ArgumentHelp("How often a false alarm is accepted, over all tasks.", valueName: "share"))
  var level = 0.05

  @Option(help: ArgumentHelp("How many random divisions, at least (more where many tasks ask for it).", valueName: "n"))
  var draws = 1999

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if (traffic == nil) == (pictures == nil) { throw ValidationError("Say what came in: --traffic or --pictures.") }
    if !(1e-6..<1).contains(level) { throw ValidationError("--level must be more than 0 and less than 1.") }
    if !(19...1_000_000).contains(draws) { throw ValidationError("--draws must be 19 to 1000000.") }
  }

  func run() throws {
    let (run, seed) = try finished.open()
    // The smallest p-value that there can be, five aspects' ties among them, must be small enough for all tasks together.
    let needed = (6 * Double(run.record.taskNames.count) / level).rounded(.up)
    guard needed <= 1e6 else {
      throw BanyanError(
        .usage, at: "--level \(level)",
        "would take \(Int(needed)) draws for \(run.record.taskNames.count) tasks, at most a million are made",
        remedy: "Ask for a level of \(6 * Double(run.record.taskNames.count) / 1e6) or more.")
    }
    let record = try traffic.map { try Traffic(contentsOf: URL(fileURLWithPath: $0)) }
    let interruption = Interruption()
    let reporter = ProgressReporter(isQuiet: quiet)
    defer { reporter.finish() }
    let bench = try run.workbench(model: finished.moved, cache: cache.root)
    let observer = ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested })
    let reference = try run.reference(seed: seed, bench: bench, observer: observer)
    let seen = try pictures.map { try run.windows($0, seed: seed, bench: bench, observer: observer) } ?? [:]
    reporter.finish()
    if let pictures, seen.isEmpty {
      throw BanyanError(
        .usage, at: "--pictures \(pictures)", "holds none of the run's tasks",
        remedy: "Name a folder after one of: \(run.record.taskNames.joined(separator: ", ")).")
    }
    let draws = max(draws, Int(needed))
    let origins = try run.origins(seed: seed)
    var rows: [DriftTable.Row] = []
    for task in run.record.taskNames {
      // Two runs with one task make the service say which.
      let names = [task, "\(run.folder.url.standardizedFileURL.lastPathComponent).\(task)"]
      let name = names.first { record?.window($0) != nil }
      if let name, let origin = record?.origin(name), origin != origins[task] {
        throw BanyanError(
          .usage, at: "task \(name)", "the traffic came from other prompts than those of seed \(seed) of this run",
          remedy: "Name the run and the seed that were served.")
      }
      let window = seen[task] ?? name.flatMap { record?.window($0) }
      guard let window, window.count >= 8, let known = reference[task], known.count >= 8 else {
        rows.append(.init(task: task, pictures: window?.count ?? 0))
        continue
      }
      let outcome = try DriftTest(draws: draws).compare(window, with: known)
      rows.append(
        .init(
          task: task, pictures: window.count, pValue: outcome.pValue, foremost: outcome.foremost.rawValue,
          pValues: outcome.pValues))
    }
    let table = DriftTable(rows, level: level)
    switch format {
    case .json: Terminal.result(try JSONDocument.data(table, subject: "drift"))
    case .text: Terminal.result(table.text(width: Terminal.width))
    }
    if !quiet, table.rows.allSatisfy({ $0.pValue == nil }) {
      Terminal.note("Nothing was compared: no task has eight pictures on both sides.")
    }
    if table.rows.contains(where: \.hasMoved) { throw ExitCode(ExitCodes.drift) }
  }
}
