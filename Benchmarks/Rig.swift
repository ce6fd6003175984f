import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import Foundation

/// A random CLIP of a published geometry, written where both sides read it, with class names and pictures to go with it.
struct Rig {
  let folder: URL
  let model: CLIPModel
  let tokenizer: CLIPTokenizer
  /// The folder that the other side reads the same weights from.
  let checkpoint: URL
  private let words: [String]

  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "peer.py")

  init(patch: Int) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "banyan-bench-\(UUID().uuidString)")
    let source = try EmbeddedCheckpoint.folder()
    let files = try TokenizerFiles(folder: source)
    tokenizer = try CLIPTokenizer(folder: source)
    let configuration = CLIPConfiguration(
      text: .init(width: 512, layers: 12, heads: 8, mlpWidth: 2048, activation: .quickGELU, epsilon: 1e-5),
      vocabularySize: files.vocabularySize, contextLength: 77,
      image: .init(width: 768, layers: 12, heads: 12, mlpWidth: 3072, activation: .quickGELU, epsilon: 1e-5),
      imageSize: 224, patchSize: patch, projectionWidth: 512)
    let generator = try EngineGenerator(seed: 1)
    var tree = ParameterTree()
    for (path, shape) in CLIPParameters.shapes(configuration).sorted(by: { $0.key < $1.key }) {
      let isGain = path.contains("orm") && path.hasSuffix("weight")
      tree[path] = try isGain ? .full(shape, 1) : generator.normal(shape).affine(scale: 0.02)
    }
    tree["logitScale"] = try .full([], log(20))
    model = try CLIPModel(configuration, parameters: tree)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    checkpoint = folder.appending(path: "clip")
    try CheckpointWriter.write(
      configuration: configuration, parameters: tree, tokenizer: files,
      preprocessing: ImagePreprocessor(imageSize: configuration.imageSize), to: checkpoint)
    words = files.tokens.compactMap { token in
      let word = token.replacingOccurrences(of: "</w>", with: "")
      return token.hasSuffix("</w>") && word.count > 2 && word.allSatisfy { $0.isLetter } ? word : nil
    }
  }

  private init(_ other: Rig, model: CLIPModel, checkpoint: URL) {
    (folder, tokenizer, words) = (other.folder, other.tokenizer, other.words)
    (self.model, self.checkpoint) = (model, checkpoint)
  }

  /// The same over the CLIP that ships, for whole runs that both sides finish.
  func withShippedModel() throws -> Rig {
    let place = try EmbeddedCheckpoint.folder()
    return Rig(self, model: try Checkpoint(folder: place).model(), checkpoint: place)
  }

  /// The same with towers that multiply in `precision`.
  func multiplying(in precision: TowerPrecision) throws -> Rig {
    let other = try CLIPModel(model.configuration, parameters: model.parameters, precision: precision)
    return Rig(self, model: other, checkpoint: checkpoint)
  }

  /// The same with nothing prepared by an earlier case.
  func afresh() throws -> Rig { try multiplying(in: model.precision) }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// Different names of one to three tokens; other `places` have other names.
  func names(_ places: Range<Int>) -> [String] {
    places.map { index in
      let (first, second) = (
        words[index % words.count], words[(index / words.count * 31 + 7 * index + 1) % words.count]
      )
      return index < words.count && index % 3 == 0
        ? first : index % 3 == 1 ? "\(first) \(second)" : "\(second) \(first) \(second)"
    }
  }

  func names(_ count: Int) -> [String] { names(0..<count) }

  /// A task; those of other `number`s have names of their own.
  func task(_ name: String, classes: Int, number: Int = 0) -> PromptTask {
    PromptTask(name: name, classNames: names(number * classes..<(number + 1) * classes))
  }

  /// The same weights for pictures of another size; positions are drawn anew.
  func model(imageSize: Int) throws -> CLIPModel {
    var configuration = model.configuration
    configuration.imageSize = imageSize
    var tree = model.parameters
    tree["image.positionEmbedding.weight"] = try EngineGenerator(seed: 2)
      .normal([1 + configuration.patchCount, configuration.image.width]).affine(scale: 0.02)
    return try CLIPModel(configuration, parameters: tree)
  }

  func context(_ tasks: [PromptTask], tree: TaskTree? = nil, groups: TaskGroups? = nil) -> MethodContext {
    MethodContext(model: model, tokenizer: tokenizer, tasks: tasks, tree: tree, groups: groups)
  }

  /// What the other side reads of class names: ids at all positions, with room for `prompts` tokens after the first.
  func texts(_ names: [String], prompts: Int, template: String? = nil) throws -> (ids: Tensor, ends: Tensor) {
    let length = model.configuration.contextLength
    var (ids, ends): ([Int], [Int]) = ([], [])
    for name in names {
      let text = template.map { $0.replacingOccurrences(of: "{}", with: name) } ?? name + "."
      let own = tokenizer.tokens(of: text).map(Int.init)
      let row =
        [Int(tokenizer.startToken)] + [Int](repeating: 0, count: prompts) + own + [Int(tokenizer.endToken)]
      ends.append(row.count - 1)
      ids += row + [Int](repeating: Int(tokenizer.endToken), count: length - row.count)
    }
    return (try Tensor.indices(ids).reshaped([names.count, length]), try .indices(ends))
  }

  /// Random pixels of `tasks` tasks, with labels and the features of the frozen image tower.
  func batches(tasks: Int, rows: Int, classes: Int) throws -> [TaskBatch] {
    let side = model.configuration.imageSize
    return try (0..<tasks).map { task in
      let generator = try EngineGenerator(seed: UInt64(100 + task))
      let pixels = try generator.normal([rows, 3, side, side])
      let features = try Engine.withoutGradients { try model.image.features(pixels).normalized() }
      return TaskBatch(
        task: task, features: features, labels: try .indices((0..<rows).map { (7 * $0 + task) % classes }),
        pictures: .init(PixelTensor(pixels), rows: Array(0..<rows)))
    }
  }
}
