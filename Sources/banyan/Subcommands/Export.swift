import ArgumentParser
import BanyanFoundation
import BanyanTraining
import Foundation

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes what a run has learned for other programs: matrices, transformers, an adapter.",
    discussion: """
      classifiers   the frozen classifier of every task, [classes, projection], as safetensors and npy, with the class names
      transformers  a CLIP folder whose vocabulary has the learned vectors as words, so that prompts are texts; README.md in it has \
      the lines of Python that give the same logits
      adapter       adapter_config.json and adapter_model.safetensors, laid out as PEFT does

      Methods that change what the image tower sees leave an adapter only; a form that a run cannot give is left out with a \
      note, unless --form asks for it.

        banyan export --run runs/hipro --output exports/hipro
      """)

  @OptionGroup(title: "Run") var finished: FinishedRunOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Where the forms are written.", valueName: "folder"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "What to write: \(RunExport.Form.words); may be repeated (default: all).", valueName: "form"),
    transform: RunExport.Form.argument)
  var form: [RunExport.Form] = []

  @Flag(help: "Replace what an earlier export left there.")
  var overwrite = false

  func run() throws {
    let (run, seed) = try finished.open()
    let target = URL(fileURLWithPath: output)
    let forms = form.isEmpty ? RunExport.Form.allCases : form
    for form in forms {
      let place = target.appending(path: form.rawValue)
      guard FileManager.default.fileExists(atPath: place.path) else { continue }
      guard overwrite else {
        throw BanyanError(
          .usage, at: place.path, "there is an export already",
          remedy: "Choose another --output, or replace it with --overwrite.")
      }
      let parts = [("tasks.json", "checkpoint"), ("adapter_config.json", "banyan_method")]
      let isOurs = parts.contains { file, key in
        (try? JSONDocument.read(JSONValue.self, from: place.appending(path: file)))?[key] != nil
      }
      guard isOurs else {
        throw BanyanError(
          .usage, at: place.path, "is no export of Banyan's and is not replaced", remedy: "Choose another --output.")
      }
    }
    let export = try RunExport(
      run, seed: seed, model: finished.moved)
    var written: [URL] = []
    do {
      for form in forms {
        do {
          written.append(try export.write(form, to: target))
        } catch let error as BanyanError where error.kind == .usage && self.form.isEmpty {
          // What another run left there would be taken for this one's.
          try? FileManager.default.removeItem(at: target.appending(path: form.rawValue))
          Terminal.note("note: left out \(form.rawValue): \(error.message)")
        }
      }
    } catch {
      // All forms or none, so that the same command can be given again; with --overwrite it can be as it is.
      if !overwrite { for place in written { try? FileManager.default.removeItem(at: place) } }
      throw error
    }
    for place in written { Terminal.result(place.path) }
  }
}
