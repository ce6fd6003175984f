import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTasks
import BanyanTraining
import Foundation

struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes an embedding of every task, and says how far apart tasks are (Task2Vec).",
    discussion: """
      A classifier is put on a fixed probe network, and the Fisher information of the probe's filters is measured: one \
      number a filter. Tasks that ask the same filters are near each other; the norm says how much a task asks. The \
      probe is the image tower of --model, or a ResNet-34 with --probe. Finished tasks are kept in the output file; the \
      same command again goes on.

        banyan embed --model clip --tasks pictures --output embeddings.json
        banyan embed --model clip --tasks pictures --estimator variational --draws 2000
        banyan embed --probe resnet34 --tasks pictures
        banyan embed --model embedded --tasks world --only night --kinds class,mask,depth,edges,brightness --maps maps
      """)

  @Option(help: ArgumentHelp("The CLIP whose image tower is the probe, or `embedded`.", valueName: "folder"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "A ResNet-18 or ResNet-34 as the probe: safetensors in torchvision's naming, or its folder.", valueName: "path"))
  var probe: String?

  @OptionGroup(title: "Tasks") var tasks: TaskOptions

  @Option(help: ArgumentHelp("Pictures per class to look at (default: all).", valueName: "k"))
  var shots: Int?

  @Option(help: ArgumentHelp("Of everything that is drawn.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp("How information is estimated: \(EmbeddingSettings.Estimator.words).", valueName: "name"),
    transform: EmbeddingSettings.Estimator.argument)
  var estimator = EmbeddingSettings.Estimator.monteCarlo

  @Option(help: ArgumentHelp("Pictures drawn a task, each class as often (default: 10000).", valueName: "n"))
  var draws: Int?

  @Option(
    help: ArgumentHelp(
      "What is asked of the pictures, by a decoder each, separated by commas: \(DenseKind.words).", valueName: "list"))
  var kinds: String?

  @Option(
    help: ArgumentHelp("Masks and depths of the pictures, as `banyan world --maps` writes them.", valueName: "folder"),
    completion: .directory)
  var maps: String?

  @Option(help: ArgumentHelp("Steps that a decoder learns for.", valueName: "n"))
  var decoderSteps = 150

  @Option(help: ArgumentHelp("Threads of one op (default: all cores).", valueName: "n"))
  var threads: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Any setting of the measurement, such as beta=1e-6 or batchSize=16.", valueName: "key=value"))
  var assignments: [String] = []

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where the embeddings are kept.", valueName: "file"), completion: .file())
  var output = "embeddings.json"

  @Option(
    help: ArgumentHelp("Also draw the distances with their tree, as SVG.", valueName: "file"), completion: .file())
  var figure: String?

  @Flag(help: "Replace a file that holds embeddings by other settings.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if (model == nil) == (probe == nil) { throw ValidationError("Give a probe: either --model or --probe.") }
    if kinds == nil, maps != nil { throw ValidationError("--maps goes with --kinds.") }
    if !(1...1_000_000).contains(decoderSteps) { throw ValidationError("--decoder-steps must be 1 or more.") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
  }

  func run() throws {
    var settings = EmbeddingSettings()
    settings.estimator = estimator
    if let draws { settings.draws = draws }
    for assignment in assignments {
      settings = try Settings.apply(
        Settings.overlay(assignment: assignment), to: settings, subject: "--set \(assignment)")
    }
    let suite = try tasks.suite()
    let interruption = Interruption()
    let reporter = ProgressReporter(isQuiet: quiet)
    defer { reporter.finish() }
    let run = try EmbeddingRun(
      suite, probe: Probe(model: model, residualNetwork: probe, threads: threads),
      samples: shots.map(SamplingAmount.shots) ?? .all, seed: seed, settings: settings,
      source: URL(fileURLWithPath: tasks.tasks).standardizedFileURL.path, command: CommandLine.arguments)
    let record: EmbeddingRecord
    do {
      let file = URL(fileURLWithPath: output)
      if let kinds {
        record = try run.dense(
          .init(kinds: kinds.split(separator: ",").map { try DenseKind.argument(String($0)) }, steps: decoderSteps),
          maps: maps.map { URL(fileURLWithPath: $0) }, file: file, overwrites: overwrite,
          progress: { reporter.report($0) }, shouldStop: { interruption.isRequested })
      } else {
        record = try run.run(
          file: file, overwrites: overwrite, progress: { reporter.report($0) },
          shouldStop: { interruption.isRequested })
      }
    } catch let error as BanyanError where error.kind == .interrupted {
      reporter.finish()
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); finished tasks are saved in \(output)",
        remedy: "Go on with the same command.")
    }
    reporter.finish()
    switch format {
    case .json: Terminal.result(try JSONDocument.data(record, subject: "embeddings"))
    case .text: Terminal.result(try EmbeddingTable(record).text(width: Terminal.width))
    }
    if let figure {
      guard let svg = try EmbeddingTable(record).svg(name: "distances") else {
        throw BanyanError(.usage, at: "--figure", "expected two tasks or more, found one")
      }
      try AtomicFile.write(Data(svg.utf8), to: URL(fileURLWithPath: figure))
      if !quiet { Terminal.note("Wrote \(figure).") }
    }
    if !quiet { Terminal.note("Wrote \(output).") }
  }
}
