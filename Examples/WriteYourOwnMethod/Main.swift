import BanyanPrompts
import BanyanReports
import BanyanTasks
import BanyanTraining
import Foundation

/// Runs the method of `FeatureShift.swift` as `banyan train` runs its own: `WriteYourOwnMethod TASKS OUTPUT`.
@main struct Main {
  static func main() throws {
    let words = CommandLine.arguments
    guard words.count == 3 else {
      FileHandle.standardError.write(Data("usage: WriteYourOwnMethod TASKS OUTPUT\n".utf8))
      exit(64)
    }
    try MethodCatalog.register(FeatureShift.self)
    var experiment = Experiment()
    experiment.model = "embedded"
    experiment.tasks = words[1]
    experiment.method = "feature-shift"
    experiment.samples = .shots(4)
    experiment.seeds = [1]
    experiment.training.optimizer = .adamw
    experiment.training.learningRate = 0.005
    experiment.training.epochs = 20
    let record = try ExperimentRun(experiment, output: URL(fileURLWithPath: words[2]), cache: nil).run(.overwrite)
    for name in record.taskNames { print(name, record.tasks[name]?.top1 ?? 0) }
  }
}
