import ArgumentParser
import BanyanTasks
import Foundation

/// Which tasks to read, for commands that look at tasks and train nothing.
///
/// ``ExperimentOptions`` has the same words for settings of an experiment, which a file may hold too.
struct TaskOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The tasks: a folder <task>/<class>/<image>, a CSV (path,label,task,split), split JSON or list files.",
      valueName: "path"))
  var tasks: String

  @Option(help: ArgumentHelp("Use these tasks only, separated by commas.", valueName: "names"))
  var only: String?

  @Option(
    help: ArgumentHelp(
      "Where paths in a CSV, split file or list start (default: the file's folder).", valueName: "folder"))
  var imageRoot: String?

  /// The tasks, read and checked.
  func suite() throws -> TaskSuite {
    try TaskSuite.load(
      tasks,
      options: TaskLoadingOptions(
        only: only.map { $0.split(separator: ",").map(String.init) } ?? [], imageRoot: imageRoot))
  }
}
