import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTraining
import Foundation

struct MapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map",
    abstract: "Places pictures or tasks in the plane so that near ones are alike (t-SNE).",
    discussion: """
      With --run the run's test pictures by their image features, coloured by task; the map lies in the folder maps of the \
      run, where `banyan report` finds it. With --embeddings the tasks of a file that `banyan embed` wrote. With --toy the \
      tasks of a toy space whose complexity is known, each with its picture, through two probes.

        banyan map --run runs/hipro
        banyan map --embeddings embeddings.json --output tasks.svg
        banyan map --toy --output figures
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("A finished run.", valueName: "folder"))
  var folder: String?

  @Option(help: ArgumentHelp("A file of embeddings.", valueName: "file"))
  var embeddings: String?

  @Flag(help: "The toy space: 64 binary tasks on the unit square.")
  var toy = false

  @Option(
    help: ArgumentHelp("Of the run: which (default: the first). Of the toy space: what is drawn.", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("Up to how many pictures of a run.", valueName: "n"))
  var limit = 1200

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the figure is written as SVG; a folder for --toy.", valueName: "path"))
  var output: String?

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    guard [folder != nil, embeddings != nil, toy].count(where: { $0 }) == 1 else {
      throw ValidationError("Say what to place: one of --run, --embeddings and --toy.")
    }
    if folder == nil, model != nil || limit != 1200 || cache.cache != nil || cache.noCache {
      throw ValidationError("--limit, --model, --cache and --no-cache go with --run.")
    }
    if embeddings != nil, seed != nil { throw ValidationError("--seed goes with --run and --toy.") }
  }

  func run() throws {
    if let folder {
      let finished = try FinishedRun(URL(fileURLWithPath: folder))
      let seed = try finished.seed(seed)
      let reporter = ProgressReporter(isQuiet: quiet)
      defer { reporter.finish() }
      try finished.useItsThreads()
      let bench = try finished.workbench(model: model.map { URL(fileURLWithPath: $0) }, cache: cache.root)
      let map = try finished.featureMap(
        seed: seed, bench: bench, limit: limit, observer: ExperimentObserver(report: { reporter.report($0) }))
      reporter.finish()
      let kept = finished.folder.url.appending(path: MapRecord.folderName)
      try AtomicFile.createFolder(kept)
      try JSONDocument.write(map, to: kept.appending(path: "features-seed-\(seed).json"), sealed: true)
      try draw("features", map, to: output.map { URL(fileURLWithPath: $0) })
      try show([map])
      if !quiet { Terminal.note("Wrote the map into \(kept.path).") }
    } else if let embeddings {
      let map = try MapRecord(EmbeddingRecord.read(URL(fileURLWithPath: embeddings)))
      try draw("tasks", map, to: output.map { URL(fileURLWithPath: $0) })
      try show([map])
    } else {
      let space = try ToyTaskSpace(seed: seed ?? 1)
      let maps = try ToyTaskSpace.Probe.allCases.map { ($0.rawValue, try space.map($0)) }
      if let output { try AtomicFile.createFolder(URL(fileURLWithPath: output)) }
      for (name, map) in maps {
        try draw(name, map, to: output.map { URL(fileURLWithPath: $0).appending(path: "toy-\(name).svg") })
      }
      try show(maps.map(\.1))
    }
  }

  private func draw(_ name: String, _ map: MapRecord, to file: URL?) throws {
    guard let file else { return }
    try AtomicFile.write(Data(MapFigure(map).svg(name: name).utf8), to: file)
    if !quiet { Terminal.note("Wrote \(file.path).") }
  }

  private func show(_ maps: [MapRecord]) throws {
    switch format {
    case .json:
      Terminal.result(
        try maps.count == 1
          ? JSONDocument.data(maps[0], subject: "map") : JSONDocument.data(maps, subject: "maps"))
    case .text:
      for map in maps {
        Terminal.result("\(map.title): \(map.places.count) places" + (map.note.map { ". \($0)" } ?? ""))
      }
    }
  }
}
