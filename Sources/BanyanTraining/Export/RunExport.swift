import BanyanCLIP
public import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanStructure
import BanyanTensor
public import Foundation

/// What a run has learned in the forms of other programs: matrices, a folder of `transformers`, an adapter.
///
/// Unlike ``SavedPrompts``, which Banyan reads back, these are to be read without Banyan.
public struct RunExport {
  /// A form.
  public enum Form: String, NamedChoice {
    /// The frozen classifier of every task, as safetensors and npy.
    case classifiers
    /// The checkpoint with learned vectors as words of its vocabulary.
    case transformers
    /// The learned parameters with what they belong to, laid out as PEFT does.
    case adapter
  }

  private let run: FinishedRun
  private let saved: SavedPrompts
  private let model: URL?

  /// An export of one seed.
  ///
  /// - Parameters:
  ///   - run: A finished run.
  ///   - seed: Which of its seeds.
  ///   - model: Another place of the run's checkpoint; `nil` for the recorded one.
  public init(_ run: FinishedRun, seed: UInt64, model: URL? = nil) throws {
    (self.run, self.model) = (run, model)
    saved = try SavedPrompts(run.folder, seed: seed)
  }

  /// Writes a form into its own folder below `folder`, whole or not at all; what is there is replaced.
  ///
  /// - Returns: The folder.
  /// - Throws: A `BanyanError` of kind `usage` where the method leaves nothing of that form.
  @discardableResult public func write(_ form: Form, to folder: URL) throws -> URL {
    let target = folder.appending(path: form.rawValue)
    if form != .adapter { try requireMatrix(form) }
    // Rounding is done where products are; the weights that would be written are those of the checkpoint.
    guard form != .transformers || run.experiment.precision == .fp32 else {
      throw BanyanError(
        .usage, at: form.rawValue,
        "the run's towers multiply in \(run.experiment.precision.rawValue), those of the folder would not",
        remedy: "Export its classifiers, or train with --precision fp32.")
    }
    try AtomicFolder.write(target) { aside in
      switch form {
      case .classifiers: try writeClassifiers(to: aside)
      case .transformers: try writeTransformers(to: aside)
      case .adapter: try writeAdapter(to: aside)
      }
    }
    return target
  }

  private struct TaskLabels: Encodable {
    var name: String
    var classes: [String]
    var array: String?
    var templates: [String]?
  }

  private struct Labels: Encodable {
    var method: String
    var seed: UInt64
    var checkpoint: String
    var logitScale: Double
    var tasks: [TaskLabels]
  }

  private func labels(_ tasks: [TaskLabels]) -> Labels {
    Labels(
      method: saved.manifest.method, seed: saved.manifest.seed, checkpoint: saved.manifest.model,
      logitScale: saved.manifest.logitScale, tasks: tasks)
  }

  private func requireMatrix(_ form: Form) throws {
    guard saved.manifest.needsMethod != true else {
      throw BanyanError(
        .usage, at: form.rawValue,
        "\(run.record.methodTitle) changes what the image tower sees; no matrix on its features predicts the same",
        remedy: "Export it as an adapter, or serve the run.")
    }
  }

  private func writeClassifiers(to folder: URL) throws {
    try AtomicFile.createFolder(folder)
    var tree = ParameterTree()
    var tasks: [TaskLabels] = []
    for (index, (task, weights)) in zip(saved.manifest.tasks, saved.classifiers).enumerated() {
      tree["tasks.\(index).classifier"] = weights
      let name = "task-\(index).npy"
      try AtomicFile.write(
        NumpyArray.data(try weights.floats(), shape: weights.shape), to: folder.appending(path: name))
      tasks.append(TaskLabels(name: task.name, classes: task.classNames, array: name))
    }
    try SafetensorsFile.write(tree, metadata: ["format": "pt"], to: folder.appending(path: "classifiers.safetensors"))
    try JSONDocument.write(labels(tasks), to: folder.appending(path: "tasks.json"))
  }

  /// Learned vectors become tokens, so that a prompt is a text: CLIP's own ensembling of templates gives the classifier.
  private func writeTransformers(to folder: URL) throws {
    let bench = try run.workbench(model: model, cache: nil)
    let method = try saved.method(bench, paths: (run.experiment.encodingPath, run.experiment.imagePath))
    var words: [String] = []
    var vectors: [Tensor] = []
    // Tasks of a tree share contexts; one that is known already has its words already.
    var known: [(tensor: [Float], words: [String])] = []
    func tokens(of sentence: PromptSentence) throws -> [String] {
      guard case .vectors(let context, _) = sentence else { return [] }
      let values = try context.floats()
      if let found = known.first(where: { $0.tensor == values }) { return found.words }
      let own = (0..<context.extent(0)).map { "<banyan-\(known.count)-\($0)>" }
      words += own
      vectors.append(try context.detached().to(device: .cpu))
      known.append((values, own))
      return own
    }
    let tasks = try saved.manifest.tasks.enumerated().map { index, task in
      let sentences: [PromptSentence]
      do {
        sentences = try method.sentences(saved.parameters, of: index)
      } catch let error as BanyanError where error.kind == .usage {
        throw BanyanError(
          .usage, at: Form.transformers.rawValue,
          "\(run.record.methodTitle), as it was set, \(error.message), task \(task.name)",
          remedy: "Export its classifiers.")
      }
      return TaskLabels(
        name: task.name, classes: task.classNames, templates: try sentences.map { $0.template(try tokens(of: $0)) })
    }
    let files = try TokenizerFiles(folder: bench.folder)
    var configuration = bench.model.configuration
    var parameters = bench.model.parameters
    let key = "text.tokenEmbedding.weight"
    // A checkpoint may have rows that no token has.
    let embedding = try parameters.require(key).to(device: .cpu).narrowed(0, start: 0, length: files.vocabularySize)
    configuration.vocabularySize = files.vocabularySize + words.count
    parameters[key] = try Tensor.concatenated([embedding] + vectors, axis: 0)
    try CheckpointWriter.write(
      configuration: configuration, parameters: parameters, tokenizer: files.adding(words),
      preprocessing: bench.preprocessor, to: folder)
    try JSONDocument.write(labels(tasks), to: folder.appending(path: "tasks.json"))
    try AtomicFile.write(Data(ExportReadme.transformers.utf8), to: folder.appending(path: "README.md"))
  }

  private struct AdapterConfiguration: Encodable {
    var peft_type = "BANYAN"
    var base_model_name_or_path: String
    var base_model_sha256: String
    var inference_mode = true
    var banyan_method: String
    var banyan_options: JSONValue
    var banyan_seed: UInt64
    var banyan_tasks: [SavedPrompts.Manifest.Task]
    var banyan_tree: String?
    var banyan_groups: [[String]]?
  }

  private func writeAdapter(to folder: URL) throws {
    let manifest = saved.manifest
    try AtomicFile.createFolder(folder)
    try JSONDocument.write(
      AdapterConfiguration(
        base_model_name_or_path: model?.path ?? run.experiment.model, base_model_sha256: manifest.model,
        banyan_method: manifest.method, banyan_options: manifest.options, banyan_seed: manifest.seed,
        banyan_tasks: manifest.tasks, banyan_tree: manifest.tree?.newick,
        banyan_groups: manifest.groups.map { groups in groups.groups.map { $0.map { groups.names[$0] } } }),
      to: folder.appending(path: "adapter_config.json"))
    let tree = try saved.parameters.mapTensors { try $1.to(device: .cpu) }
    try SafetensorsFile.write(
      tree.nested(under: "base_model.model"), metadata: ["format": "pt"],
      to: folder.appending(path: "adapter_model.safetensors"))
  }
}
