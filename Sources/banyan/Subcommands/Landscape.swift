import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation

struct Landscape: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Maps training loss and test error around what a run has learned.",
    discussion: """
      The plane goes through three classifiers of a task: that of the prompt that training went out from (w_rand), the \
      shared one (w_shr) and the task's own (w_ind). w_avg and every node of the tree are marked. With three runs it goes \
      through what they predict with. The maps lie in the folder landscapes of the first run, where `banyan report` finds \
      them.

        banyan landscape --run runs/hipro
        banyan landscape --run runs/coop --run runs/coop-mt --run runs/zero-shot --task sketch
        banyan report runs/hipro
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("A finished run; once, or three times.", valueName: "folder"))
  var runs: [String]

  @Option(
    name: .customLong("task"),
    help: ArgumentHelp("Only this task; may be given again (default: all).", valueName: "name"))
  var tasks: [String] = []

  @Option(help: ArgumentHelp("Which seed (default: the first).", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("Grid points along each axis.", valueName: "number"))
  var resolution = 50

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func run() throws {
    let finished = try runs.map { try FinishedRun(URL(fileURLWithPath: $0)) }
    guard let first = finished.first else { throw ValidationError("Name a run with --run.") }
    let seed = try first.seed(seed)
    try first.useItsThreads()
    let bench = try first.workbench(model: model.map { URL(fileURLWithPath: $0) }, cache: cache.root)
    let found = try first.landscapes(
      of: tasks.isEmpty ? nil : tasks, others: Array(finished.dropFirst()), seed: seed, bench: bench,
      view: .init(resolution: resolution))
    try AtomicFile.createFolder(first.folder.landscapes)
    for (number, landscape) in found.enumerated() {
      // Numbered as the run's tasks are: a task may be called anything.
      let place = first.record.taskNames.firstIndex(of: landscape.task) ?? number
      let kind = finished.count == 1 ? "" : "-three-runs"
      let file = first.folder.landscapes.appending(path: "task-\(place)-seed-\(seed)\(kind).json")
      try JSONDocument.write(landscape, to: file, sealed: true)
    }
    switch format {
    case .json: Terminal.result(try JSONDocument.data(found, subject: "landscapes"))
    case .text: for landscape in found { Terminal.result(landscape.text) }
    }
    Terminal.note("Wrote \(found.count) landscapes into \(first.folder.landscapes.path).")
  }
}
