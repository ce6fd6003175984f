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

  @OptionGroup(title: "Run") var finished: FinishedRunOptions

  @Option(help: ArgumentHelp("How many words for each vector.", valueName: "k"))
  var top = 3

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  func run() throws {
    let (run, seed) = try finished.open()
    let bench = try run.workbench(model: finished.moved, cache: nil)
    let words = try run.nearestWords(seed: seed, bench: bench, count: top)
    let kept = run.folder.url.appending(path: WordsRecord.folderName)
    try JSONDocument.write(words, to: kept.appending(path: "seed-\(seed).json"), sealed: true)
    switch format {
    case .json: Terminal.result(try JSONDocument.data(words, subject: "words"))
    case .text: Terminal.result(words.text)
    }
    Terminal.note("Wrote them into \(kept.path).")
  }
}
