import BanyanFoundation
import BanyanTasks
import BanyanTraining
import Foundation
import Testing

/// What an experiment takes and what it refuses, before any file is read.
@Suite struct ExperimentTests {
  private func validate(_ assignment: String) throws {
    var experiment = Experiment()
    experiment.model = "m"
    experiment.tasks = "t"
    try Experiment(Settings.overlay(assignment: assignment), over: experiment, subject: "--set").validate()
  }

  @Test(arguments: [
    "training.learningRate=-1", "training.learningRate=0", "training.learningRate=1e300",
    "training.learningRate=\"fast\"",
    "training.epochs=0", "training.epochs=9999999999", "training.epochs=1.5", "training.batchSize=0",
    "training.momentum=1", "training.momentum=-0.1", "training.beta1=1", "training.beta2=2", "training.epsilon=0",
    "training.weightDecay=-1", "training.weightDecay=1e39", "training.warmupEpochs=-1", "training.warmupEpochs=51",
    "training.warmupRate=-1", "training.nesterov=3", "training.earlyStopping=0", "training.decay=cosin",
    "training.optimizer=adam", "seeds=[]", "seeds=[1,1]", "seeds=[-1]", "seeds=[18446744073709551616]", "seeds=1",
    "samples=0 shots", "samples=0%", "samples=101%", "samples=nan%", "samples=many", "validationShots=-2",
    "data.augmentedViews=-1", "data.augmentedViews=1001", "data.format=zip", "threads=0", "threads=100000",
    "device=tpu", "affinity.steps=0", "affinity.recordEvery=0", "affinity.kind=cosine", "affinity.linkage=any",
    "method=hipr", "options.objective=all", "options.combine=best", "options.contxt.length=4", "epochs=3",
    "encodingPath=short",
  ])
  func absurdValuesAreUsageErrorsThatNameTheKey(_ assignment: String) throws {
    let error = #expect(throws: BanyanError.self, "\(assignment)") { try validate(assignment) }
    #expect(error?.kind == .usage, "\(error as Any)")
    let key = try #require(assignment.split(separator: "=").first?.split(separator: ".").last)
    let words = "\(error?.subject ?? "") \(error?.message ?? "") \(error?.remedy ?? "")"
    // Some keys have a flag, and shots and percentage are words of the amount itself.
    let names = [String(key), "--\(key)", "shots", "percentage", "contxt"]
    #expect(names.contains(where: words.contains), "\(assignment): \(words)")
  }

  @Test(arguments: [
    "training.learningRate=1e30", "training.warmupEpochs=50", "samples=100%", "samples=all",
    "seeds=[9223372036854775807]",
    "training.earlyStopping=null", "validationShots=0", "data.augmentedViews=1000", "threads=1024",
  ])
  func unusualButSoundValuesAreTaken(_ assignment: String) throws { try validate(assignment) }

  @Test func theDifferencesMakeTheSameExperimentAgain() throws {
    var experiment = Experiment()
    experiment.model = "a b/ü"
    experiment.method = "coop"
    experiment.samples = .percentage(2.5)
    experiment.seeds = [9_223_372_036_854_775_807]
    experiment.training.learningRate = 0.1 + 0.2
    experiment.training.earlyStopping = 3
    experiment.options = .object(["context": .object(["length": .integer(4)])])
    let differences = try experiment.differences()
    #expect(differences["affinity"] == nil && differences["device"] == nil)
    #expect(try Experiment(differences, subject: "test") == experiment)
    #expect(try Experiment().differences() == .object([:]))
  }

  @Test func notesForReadersAreNoPartOfTheResolvedExperiment() throws {
    var noted = Experiment()
    noted.paper = "p"
    noted.expected = "e"
    noted.command = "c"
    #expect(try noted.resolved() == Experiment().resolved())
    // Options that say what is the default anyway resolve to the same.
    noted.options = .object(["combine": .string("average")])
    #expect(try noted.resolved() == Experiment().resolved())
  }
}
