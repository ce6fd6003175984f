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
      says over all tasks of one call. Exits with 3 where a task has moved and with 66 where there was nothing to compare, so that \
      a watch can call it.

        banyan serve --run runs/hipro --traffic traffic.safetensors
        banyan drift --run runs/hipro --traffic traffic.safetensors
        banyan drift --run runs/hipro --pictures new-pictures     pictures in folders, <task>/<any name>/<image>

      Where the pictures of the run are not at hand, as on the machine that serves, --reference FILE keeps what they look like:

        banyan drift --run runs/hipro --traffic traffic.safetensors --reference reference.safetensors
      """)

  @OptionGroup(title: "Run") var finished: FinishedRunOptions

  @Option(help: ArgumentHelp("What a service kept.", valueName: "file"), completion: .file())
  var traffic: String?

  @Option(
    help: ArgumentHelp(
      "Or pictures themselves, in any layout that `banyan train` takes; what classes say does not count.",
      valueName: "path"))
  var pictures: String?

  @Option(
    help: ArgumentHelp(
      "What the run's own pictures look like: made where the file is not there, else read in place of pictures and checkpoint.",
      valueName: "file"), completion: .file())
  var reference: String?

  @Option(help: ArgumentHelp("The run's pictures, where they have moved since.", valueName: "path"))
  var tasks: String?

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
    let origins = try run.origins(seed: seed)
    let observer = ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested })
    let kept = try keptReference(of: run, seed, origins)
    guard kept == nil || tasks == nil else {
      throw BanyanError(
        .usage, at: "--tasks", "is not read where --reference is there",
        remedy: "Leave it out, or remove \(reference ?? "the file") to make it again.")
    }
    // Neither is needed where all is in files.
    let bench = kept == nil || pictures != nil ? try run.workbench(model: finished.moved, cache: cache.root) : nil
    let references = try kept ?? bench.map { try newReference(run, seed, $0, origins, observer) } ?? [:]
    let seen =
      try pictures.flatMap { path in try bench.map { try run.windows(path, seed: seed, bench: $0, observer: observer) }
      }
      ?? [:]
    reporter.finish()
    if let pictures, seen.isEmpty {
      throw BanyanError(
        .usage, at: "--pictures \(pictures)", "holds none of the run's tasks",
        remedy: "Name a folder after one of: \(run.record.taskNames.joined(separator: ", ")).")
    }
    let draws = max(draws, Int(needed))
    var rows: [DriftTable.Row] = []
    for task in run.record.taskNames {
      let name = try record.flatMap { try served($0, task, of: run, seed: seed, origin: origins[task]) }
      let window = seen[task] ?? name.flatMap { record?.window($0) }
      guard let window, window.count >= 8, let known = references[task], known.count >= 8 else {
        rows.append(.init(task: task, pictures: window?.count ?? 0))
        continue
      }
      let outcome = try DriftTest(draws: draws).compare(
        window, with: known, shouldStop: { interruption.isRequested })
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
    if table.rows.contains(where: \.hasMoved) { throw ExitCode(ExitCodes.drift) }
    // A watch that hears nothing must not take it for a good sign.
    guard table.rows.contains(where: { $0.pValue != nil }) else {
      throw BanyanError(
        .missingInput, at: traffic ?? pictures ?? "traffic",
        "nothing was compared: no task has eight pictures on both sides",
        remedy: traffic == nil
          ? "Bring more pictures of a task that the run knows."
          : "A service keeps what is asked of one task alone: /classify?task=NAME or /v2/models/NAME/infer.")
    }
  }

  /// What an earlier call kept of the run's own pictures; `nil` where there is no file.
  private func keptReference(
    of run: FinishedRun, _ seed: UInt64, _ origins: [String: String]
  ) throws -> [String: PictureWindow]? {
    guard let reference, FileManager.default.fileExists(atPath: reference) else { return nil }
    let kept = try Traffic(contentsOf: URL(fileURLWithPath: reference), as: .reference)
    guard kept.taskNames.allSatisfy({ kept.origin($0) == origins[$0] }), !kept.taskNames.isEmpty else {
      throw BanyanError(
        .usage, at: "--reference \(reference)", "is of other prompts than those of this run and seed",
        remedy: "Remove the file; it is made again where the run's pictures are.")
    }
    // A task that was grafted since would never be looked at.
    let split = run.record.runs.first { $0.seed == seed }?.split ?? []
    let absent = split.filter { !$0.test.isEmpty && kept.window($0.task) == nil }.map(\.task)
    guard absent.isEmpty else {
      throw BanyanError(
        .usage, at: "--reference \(reference)", "knows nothing of \(absent.joined(separator: ", "))",
        remedy: "Remove the file; it is made again where the run's pictures are.")
    }
    return Dictionary(uniqueKeysWithValues: kept.taskNames.compactMap { name in kept.window(name).map { (name, $0) } })
  }

  private func newReference(
    _ run: FinishedRun, _ seed: UInt64, _ bench: Workbench, _ origins: [String: String], _ observer: ExperimentObserver
  ) throws -> [String: PictureWindow] {
    let windows = try run.reference(seed: seed, bench: bench, tasks: tasks, observer: observer)
    if let reference {
      try Traffic(windows, origins: origins).write(to: URL(fileURLWithPath: reference), as: .reference)
    }
    return windows
  }

  /// What a service called the task; two runs with a task of one name made it say which.
  ///
  /// - Throws: A `BanyanError` where that name had other prompts.
  private func served(
    _ traffic: Traffic, _ task: String, of run: FinishedRun, seed: UInt64, origin: String?
  ) throws -> String? {
    let candidates = traffic.taskNames.filter {
      $0 == task || $0.hasSuffix(".\(task)") || ($0.contains(".\(task)-") && traffic.origin($0) == origin)
    }
    if let name = candidates.first(where: { traffic.origin($0) == origin }) { return name }
    let own = [task, "\(run.folder.url.standardizedFileURL.lastPathComponent).\(task)"]
    if let name = own.first(where: candidates.contains) {
      throw BanyanError(
        .usage, at: "task \(name)", "the traffic came from other prompts than those of seed \(seed) of this run",
        remedy: "Name the run and the seed that were served.")
    }
    return nil
  }
}
