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

  // Those that take steps through a tower. What a solver fits to frozen features lies in flat valleys, where a last digit moves it.
  @Test(arguments: ["coop", "coop-mt", "hipro", "vpt", "maple", "mmap", "fine-tuning", "bitfit", "lora"])
  func `a run by other ways ends where one by the fast ways does`(_ method: String) throws {
    func run(_ text: TextTower.EncodingPath, _ image: ImageTower.EncodingPath) throws
      -> (accuracies: [String: Double], prompts: ParameterTree)
    {
      let experiment = world.experiment(method) { experiment in
        experiment.options = .object([:])
        experiment.training.epochs = 2
        experiment.encodingPath = text
        experiment.imagePath = image
      }
      let place = world.place()
      defer { try? FileManager.default.removeItem(at: place) }
      let record = try world.run(experiment, at: place)
      let prompts = try SafetensorsFile(contentsOf: place.appending(path: "seed-1/prompts.safetensors")).tree()
      #expect(!prompts.paths.isEmpty)
      return (record.runs[0].tasks.mapValues(\.top1), prompts)
    }
    let fast = try run(.fused, .fused)
    #expect(!fast.accuracies.isEmpty)
    for (text, image) in [(TextTower.EncodingPath.plain, ImageTower.EncodingPath.plain), (.sharedPrefix, .plain)] {
      let other = try run(text, image)
      #expect(fast.accuracies == other.accuracies && fast.prompts.paths == other.prompts.paths, "\(text)")
      for path in fast.prompts.paths {
        try agree(
          fast.prompts.require(path), other.prompts.require(path), "\(text) \(path)", within: .at(.training))
      }
    }
  }
}
