import ArgumentParser
import BanyanFoundation
import BanyanTensor
import BanyanTraining
import Foundation

/// Where the program starts: parses, runs, and turns what was thrown into a message and an exit code.
@main
enum Main {
  static func main() async {
    WaitingThreads.spinShortly()
    Engine.keepFreedMemory()
    Launch.ignoreClosedPipes()
    do {
      var command = try Banyan.parseAsRoot()
      if var waiting = command as? any AsyncParsableCommand {
        try await waiting.run()
      } else {
        try command.run()
      }
    } catch let error as BanyanError {
      Terminal.error(error)
      Foundation.exit(ExitCodes.code(for: error))
    } catch {
      Banyan.exit(withError: error)
    }
  }
}

/// The root of the command line; holds only its configuration.
struct Banyan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "banyan",
    abstract: "Adapts one pre-trained CLIP to many image-classification tasks at once.",
    discussion: """
      Banyan measures which tasks help each other, builds a tree of tasks and learns prompts at every node, \
      beside the methods that this is compared with.

      A first run:
        banyan train --model CLIP --tasks PICTURES --method hipro --shots 8 --output runs/hipro
        banyan train --model CLIP --tasks PICTURES --method coop  --shots 8 --output runs/coop
        banyan compare runs/*
        banyan tree runs/hipro
        banyan classify --run runs/hipro --task sketch picture.jpg

      CLIP is a folder with config.json and model.safetensors; PICTURES is laid out as <task>/<class>/<image>.

      Exit codes: \(ExitCodes.table)
      """,
    version: "banyan \(ExperimentRun.version) (\(Engine.version))",
    subcommands: [
      Demo.self, Train.self, Watch.self, ExperimentCommand.self, Pretrain.self, WorldCommand.self, Compare.self,
      Report.self,
      Tree.self, Landscape.self, MapCommand.self, Words.self, Embed.self, Recommend.self, MetaTaskCommand.self,
      Classify.self, Serve.self, Export.self, GraftCommand.self, DriftCommand.self, Evaluate.self, Methods.self,
    ])
}
