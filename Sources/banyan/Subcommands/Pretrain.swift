import ArgumentParser
import BanyanFoundation
import BanyanTraining
import Foundation

struct Pretrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a small CLIP of your own from captioned pictures.",
    discussion: """
      Two towers start from random weights. First the image tower learns to name the pictures' attributes (the further \
      columns of the table, such as class or colour); then both towers learn which caption belongs to which picture. \
      The output folder is a Hugging Face CLIP: every other command takes it as --model.

      A first CLIP, from a table with the columns path, caption and perhaps split, class, colour:
        banyan pretrain --data pictures/captions.csv --output my-clip --patch-dropping 0.5
        banyan train --model my-clip --tasks PICTURES --method hipro

      Progress goes to stderr, the scores on held-out pictures to stdout. Ctrl-C saves and says how to go on; a training \
      that was killed goes on with --resume and ends with the same bytes.
      """)

  @OptionGroup(title: "Training") var options: PretrainingOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Where the CLIP goes.", valueName: "folder"))
  var output: String

  @Flag(help: "Go on with the training in the output folder.")
  var resume = false

  @Flag(help: "Replace the training in the output folder.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  @Option(help: ArgumentHelp("How the result is written: text or json.", valueName: "format"))
  var format = ResultFormat.text

  func validate() throws {
    if resume && overwrite { throw ValidationError("Give either --resume or --overwrite.") }
  }

  func run() throws {
    let place = PretrainingFolder(URL(fileURLWithPath: output))
    var base = PretrainingSettings()
    if resume {
      // Without further words the folder itself says what to do.
      guard place.holdsRun else {
        throw BanyanError(
          .missingInput, at: "--output \(output)", "there is no training to resume",
          remedy: "Leave --resume out to begin one.")
      }
      base = try PretrainingSettings(JSONDocument.read(from: place.settings), subject: place.settings.path)
    }
    let settings = try options.settings(over: base)
    let reporter = ProgressReporter(isQuiet: quiet)
    let interruption = Interruption()
    defer { reporter.finish() }
    let run = try PretrainingRun(
      settings, output: place.url, command: CommandLine.arguments,
      observer: ExperimentObserver(report: { reporter.report($0) }, shouldStop: { interruption.isRequested }))
    let record: PretrainingRecord
    do {
      record = try run.run(resume ? .resume : overwrite ? .overwrite : .refuse)
    } catch let error as BanyanError where error.kind == .interrupted {
      reporter.finish()
      let words = ShellWord.line(["--resume", "--output", place.url.path])
      throw BanyanError(
        .interrupted, at: error.subject, "\(error.message); everything so far is saved",
        remedy: "Go on with: banyan pretrain \(words)")
    }
    reporter.finish()
    try show(record, place.url)
  }

  private func show(_ record: PretrainingRecord, _ folder: URL) throws {
    switch format {
    case .json: Terminal.result(try JSONDocument.data(record, subject: "record"))
    case .text:
      Terminal.result(record.summary)
      guard !quiet else { return }
      Terminal.note("\nSaved in \(folder.path). Next:")
      let model = ShellWord.quoted(folder.relativePath)
      for method in ["zero-shot", "hipro"] {
        Terminal.note("  banyan train --model \(model) --tasks PICTURES --method \(method)")
      }
    }
  }
}
