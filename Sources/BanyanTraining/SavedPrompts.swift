import BanyanCLIP
public import BanyanFoundation
import BanyanPrompts
public import BanyanStructure
public import BanyanTensor
import Foundation

/// What one seed of a run has learned, as it lies on disk.
///
/// `prompts.safetensors` holds the parameters, `prompts.json` what they belong to, `classifiers.safetensors` one matrix
/// per task, with which pictures are classified without the text tower.
public struct SavedPrompts: Sendable {
  /// What the parameters belong to.
  public struct Manifest: Codable, Sendable, Equatable {
    /// One task as the prompts know it.
    public struct Task: Codable, Sendable, Equatable {
      /// The task's name.
      public var name: String
      /// Class names in the order of the classifier's rows.
      public var classNames: [String]
      /// The task's own templates.
      public var templates: [String]
      /// The words its context started from.
      public var initialWords: String?
      /// The classifier that predicts.
      public var chosen: String
    }

    /// The version of this form.
    public var schema = 1
    /// The method's name.
    public var method: String
    /// The method's options in full.
    public var options: JSONValue
    /// The seed.
    public var seed: UInt64
    /// The tasks.
    public var tasks: [Task]
    /// The tree of tasks, where the method has one.
    public var tree: TaskTree?
    /// The groups of tasks, where the method has them.
    public var groups: TaskGroups?
    /// True where the method itself predicts and a matrix on frozen features does not serve.
    public var needsMethod: Bool?
    /// SHA-256 of the checkpoint that the prompts belong to.
    public var model: String
    /// `exp(logit_scale)`.
    public var logitScale: Double
    /// Width of the classifiers.
    public var projectionWidth: Int
  }

  /// What the parameters belong to.
  public var manifest: Manifest
  /// The learned parameters.
  public var parameters: ParameterTree
  /// The predicting matrix of each task, [classes, projection].
  public var classifiers: [Tensor]
  /// The digest of the file that the parameters were read from; `nil` where they were not read.
  let digest: String?

  /// Writes the three files, each whole or not at all.
  func write(to folder: RunFolder) throws {
    let text = try JSONDocument.data(manifest, subject: folder.manifest(manifest.seed).path)
    let metadata = ["method": manifest.method, "model": manifest.model, "manifest": ContentHash.sha256(text)]
    let prompts = try SealedTensors.encode(parameters, metadata: metadata.merging(["banyan": "prompts 1"]) { $1 })
    try AtomicFile.write(prompts, to: folder.prompts(manifest.seed))
    var tree = ParameterTree()
    for (index, weights) in classifiers.enumerated() { tree[Self.key(index)] = try weights.to(device: .cpu) }
    let matrices = try SealedTensors.encode(tree, metadata: metadata.merging(["banyan": "classifiers 1"]) { $1 })
    try AtomicFile.write(matrices, to: folder.classifiers(manifest.seed))
    try AtomicFile.write(text, to: folder.manifest(manifest.seed))
  }

  /// Reads the three files.
  ///
  /// - Throws: A `BanyanError` that names the file and the tensor which do not fit.
  public init(_ folder: RunFolder, seed: UInt64, device: Device = .cpu) throws {
    guard FileManager.default.fileExists(atPath: folder.manifest(seed).path) else {
      throw BanyanError(
        .missingInput, at: folder.seed(seed).path, "there are no saved prompts of seed \(seed)",
        remedy: "Finish the run with --resume, or name another seed.")
    }
    let text = try AtomicFile.read(folder.manifest(seed))
    manifest = try JSONDocument.decode(from: text, subject: folder.manifest(seed).path)
    guard manifest.schema == 1 else {
      throw BanyanError(
        .malformed, at: folder.manifest(seed).path, "expected schema 1, found \(manifest.schema)",
        remedy: "Update banyan.")
    }
    let remedy = "Restore the three files of the seed from one source, or train again."
    let prompts = try SealedTensors.read(folder.prompts(seed), remedy: remedy)
    let matrices = try SealedTensors.read(folder.classifiers(seed), remedy: remedy)
    for (url, file) in [(folder.prompts(seed), prompts), (folder.classifiers(seed), matrices)] {
      guard file.metadata["manifest"] == ContentHash.sha256(text) else {
        throw BanyanError(
          .malformed, at: folder.manifest(seed).path, "is not the one that \(url.lastPathComponent) was saved with",
          remedy: remedy)
      }
    }
    digest = prompts.digest
    parameters = try prompts.tree.mapTensors { try $1.to(device: device) }
    let width = manifest.projectionWidth
    classifiers = try manifest.tasks.enumerated().map { index, task in
      let weights = try matrices.tree.require(Self.key(index))
      guard weights.shape == [task.classNames.count, width], weights.dtype == .float32 else {
        throw BanyanError(
          .malformed, at: "\(folder.classifiers(seed).path): \(Self.key(index))",
          "expected float32 of shape [\(task.classNames.count), \(width)], found \(weights.dtype.rawValue) \(weights.shape)"
        )
      }
      return try weights.to(device: device)
    }
  }

  init(manifest: Manifest, parameters: ParameterTree, classifiers: [Tensor]) {
    self.manifest = manifest
    self.parameters = parameters
    self.classifiers = classifiers
    digest = nil
  }

  /// The method that the prompts belong to, over the checkpoint of `bench`.
  func method(
    _ bench: Workbench, paths: (text: TextTower.EncodingPath, image: ImageTower.EncodingPath)
  ) throws -> any PromptMethod {
    try MethodCatalog.entry(manifest.method).make(
      manifest.options,
      MethodContext(
        model: bench.model, tokenizer: bench.tokenizer,
        tasks: manifest.tasks.map {
          PromptTask(name: $0.name, classNames: $0.classNames, templates: $0.templates, initialWords: $0.initialWords)
        }, tree: manifest.tree, groups: manifest.groups?.reordered(to: manifest.tasks.map(\.name)),
        encodingPath: paths.text, imagePath: paths.image))
  }

  /// A digest of the checkpoint and a task's classifier, and of the prompts where they change what the image tower sees.
  func origin(of task: Int) throws -> String {
    let values = try classifiers[task].floats()
    let bytes = values.withUnsafeBytes { Data($0) }
    let seen = manifest.needsMethod == true ? digest ?? "" : ""
    let place = Data("\(manifest.model) \(manifest.method) \(manifest.seed) \(seen)".utf8)
    return String(ContentHash.sha256(place + bytes).prefix(32))
  }

  private static func key(_ task: Int) -> String { "tasks.\(task).classifier" }
}
