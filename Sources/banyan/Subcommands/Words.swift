import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation

struct Words: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows which words of the vocabulary lie nearest to the learned prompts.",
    discussion: """
      A learned vector need not mean anything; where it lies near a word, the word may say what was learned. They are kept in \
      the folder words of the run, where `banyan report` finds them.

        banyan words --run runs/hipro --top 5
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("A finished run.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("How many words for each vector.", valueName: "k"))
  var top = 3

  @Option(help: ArgumentHelp("Which seed (default: the first).", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func run() throws {
    let finished = try FinishedRun(URL(fileURLWithPath: folder))
    let seed = try finished.seed(seed)
    let bench = try finished.workbench(model: model.map { URL(fileURLWithPath: $0) }, cache: nil)
    let words = try finished.nearestWords(seed: seed, bench: bench, count: top)
    let kept = finished.folder.url.appending(path: WordsRecord.folderName)
    try JSONDocument.write(words, to: kept.appending(path: "seed-\(seed).json"))
    switch format {
    case .json: Terminal.result(try JSONDocument.data(words, subject: "words"))
    case .text: Terminal.result(words.text)
    }
    Terminal.note("Wrote them into \(kept.path).")
  }
}
