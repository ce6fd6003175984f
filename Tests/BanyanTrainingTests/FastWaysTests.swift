import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// Whole runs by the fast ways through the towers and by the plain ones.
@Suite struct FastWaysTests {
  private let world: TrainingWorld

  init() throws { world = try TrainingWorld.open() }

  @Test(arguments: ["coop", "coop-mt", "hipro", "vpt", "maple", "mmap", "fine-tuning", "bitfit", "lora"])
  func `a run by the plain ways ends where one by the fast ways does`(_ method: String) throws {
    func run(_ text: TextTower.EncodingPath, _ image: ImageTower.EncodingPath) throws
      -> (accuracies: [String: Double], prompts: ParameterTree)
    {
      let experiment = world.experiment(method) { experiment in
        if !["coop", "coop-mt", "hipro"].contains(method) { experiment.options = .object([:]) }
        experiment.training.epochs = 2
        experiment.encodingPath = text
        experiment.imagePath = image
      }
      let place = world.place()
      defer { try? FileManager.default.removeItem(at: place) }
      let record = try world.run(experiment, at: place)
      let prompts = try SafetensorsFile(contentsOf: place.appending(path: "seed-1/prompts.safetensors")).tree()
      return (record.runs[0].tasks.mapValues(\.top1), prompts)
    }
    let (fast, plain) = (try run(.fused, .fused), try run(.plain, .plain))
    #expect(fast.accuracies == plain.accuracies && !fast.accuracies.isEmpty)
    #expect(fast.prompts.paths == plain.prompts.paths && !fast.prompts.paths.isEmpty)
    for path in fast.prompts.paths {
      try agree(fast.prompts.require(path), plain.prompts.require(path), path, within: .at(.training))
    }
  }
}
