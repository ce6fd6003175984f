import ArgumentParser
import BanyanFoundation
import BanyanTraining
import Foundation

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Names pictures with the classifiers of a run.",
    discussion: """
      Uses the frozen classifiers alone, without the text tower. A picture that cannot be read is reported and the \
      others go on; the exit code is then that of the first failure.
      """)

  @OptionGroup(title: "Run") var finished: FinishedRunOptions

  @Option(
    parsing: .singleValue, help: ArgumentHelp("The task; may be repeated (default: all tasks).", valueName: "name"))
  var task: [String] = []

  @Option(help: ArgumentHelp("How many classes to show.", valueName: "k"))
  var top = 3

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  @Argument(help: "Pictures: JPEG, PNG or WebP.")
  var pictures: [String]

  private struct Answer: Encodable {
    var picture: String
    var task: String
    var guesses: [PictureClassifier.Guess]
  }

  func validate() throws {
    if top < 1 { throw ValidationError("--top must be 1 or more.") }
  }

  func run() throws {
    let (run, seed) = try finished.open()
    let classifier = try PictureClassifier(
      run, seed: seed, model: finished.moved)
    let tasks = task.isEmpty ? classifier.taskNames : task
    try tasks.forEach(classifier.check)
    var answers: [Answer] = []
    var failure: BanyanError?
    for path in pictures {
      do {
        let picture = try classifier.picture(at: URL(fileURLWithPath: path))
        for task in tasks {
          let guesses = try classifier.guesses(picture, task: task, count: top)
          answers.append(Answer(picture: path, task: task, guesses: guesses))
          if format == .text { Terminal.result(line(path, task, guesses)) }
        }
      } catch let error as BanyanError {
        Terminal.error(error)
        failure = failure ?? error
      }
    }
    if format == .json { Terminal.result(try JSONDocument.data(answers, subject: "answers")) }
    if let failure { throw ExitCode(ExitCodes.code(for: failure)) }
  }

  private func line(_ path: String, _ task: String, _ guesses: [PictureClassifier.Guess]) -> String {
    let words = guesses.map {
      "\($0.name) \(($0.probability * 100).formatted(.number.precision(.fractionLength(1)))) %"
    }
    return "\(path)  [\(task)]  \(words.joined(separator: ", "))"
  }
}
