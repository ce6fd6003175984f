import ArgumentParser
import BanyanTraining
import Foundation

/// Which finished run a command works with, and which of its seeds.
struct FinishedRunOptions: ParsableArguments {
  @Option(name: .customLong("run"), help: ArgumentHelp("The folder of a finished run.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("Use the prompts of this seed (default: the first).", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  /// The run, and the seed that is meant; ops take the run's threads.
  func open() throws -> (run: FinishedRun, seed: UInt64) {
    let run = try FinishedRun(URL(fileURLWithPath: folder))
    try run.useItsThreads()
    return (run, try run.seed(seed))
  }

  /// Where the checkpoint has moved to; `nil` where it has not.
  var moved: URL? { model.map { URL(fileURLWithPath: $0) } }
}
