import ArgumentParser
import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Scores the saved prompts of a run again and compares with its record.",
    discussion: """
      Classifiers are made anew from the saved prompts and the pictures are those of the record. The exit code is 1 \
      where any number differs from the record's, to the last digit.
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("The folder of a finished run.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("Only this seed (default: all).", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @OptionGroup(title: "Image features") var cache: CacheOptions

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  private struct Line: Encodable {
    var seed: UInt64
    var task: String
    var top1: Double
    var recorded: Double
    var identical: Bool
    var difference: String?
  }

  func run() throws {
    let finished = try FinishedRun(URL(fileURLWithPath: folder))
    let seeds = try seed.map { [try finished.seed($0)] } ?? finished.record.seeds
    try finished.useItsThreads()
    let bench = try finished.workbench(model: model.map { URL(fileURLWithPath: $0) }, cache: cache.root)
    var lines: [Line] = []
    for seed in seeds {
      let results = try finished.evaluate(seed: seed, bench: bench)
      let recorded = finished.record.runs.first { $0.seed == seed }?.tasks ?? [:]
      for name in finished.record.taskNames {
        guard var now = results[name], let then = recorded[name] else { continue }
        // Records of earlier versions do not say which images were mistaken.
        if then.mistakes == nil { (now.mistakes, now.classNames) = (nil, nil) }
        // What was grafted has no start of its own.
        if then.initialLoss == nil { now.initialLoss = nil }
        let difference = try JSONValue(encoding: now).firstDifference(from: JSONValue(encoding: then))
        lines.append(
          Line(
            seed: seed, task: name, top1: now.top1, recorded: then.top1, identical: difference == nil,
            difference: difference))
      }
    }
    switch format {
    case .json: Terminal.result(try JSONDocument.data(lines, subject: "scores"))
    case .text:
      let width = lines.map(\.task.count).max() ?? 4
      for line in lines {
        let name = line.task.padding(toLength: width, withPad: " ", startingAt: 0)
        Terminal.result(
          "seed \(line.seed)  \(name)  top-1 \(line.top1)  recorded \(line.recorded)  "
            + (line.difference.map { "DIFFERENT in \($0)" } ?? "identical"))
      }
    }
    let different = lines.count { !$0.identical }
    if different > 0 {
      throw BanyanError(
        .failed, at: folder, "\(different) of \(lines.count) results differ from the record",
        remedy: "Check that threads, device and engine are those of the record: \(finished.record.engine), "
          + "\(finished.record.threads) threads, \(finished.record.device).")
    }
    Terminal.note("All \(lines.count) results are identical to the record, every number of them.")
  }
}
