public import BanyanCLIP
import BanyanFoundation
public import BanyanPrompts
public import BanyanStructure
public import BanyanTensor
public import Foundation

/// The random CLIP of `Tests/Goldens/tiny-clip` with its tokenizer: real wiring in a millisecond.
public struct TinyCLIP: Sendable {
  /// The model.
  public let model: CLIPModel
  /// Its tokenizer.
  public let tokenizer: CLIPTokenizer

  /// Reads the checkpoint called `name`; in double precision where `dtype` says so.
  public init(_ name: String = "tiny-clip", dtype: DType = .float32) throws {
    let folder = Self.folder(name)
    let stored = try Checkpoint(folder: folder).model()
    model =
      dtype == .float32
      ? stored : try CLIPModel(stored.configuration, parameters: stored.parameters.mapTensors { try $1.to(dtype) })
    tokenizer = try CLIPTokenizer(folder: folder)
  }

  /// The folder of the checkpoint called `name`.
  public static func folder(_ name: String = "tiny-clip") -> URL { Golden.folder.appending(path: name) }

  /// The type of the weights.
  public var dtype: DType { model.text.positionEmbedding.dtype }

  /// A context over `tasks`; encoded in ``EncodingWays/current`` where no `ways` are given.
  public func context(
    _ tasks: [PromptTask], tree: TaskTree? = nil, groups: TaskGroups? = nil, ways: EncodingWays? = nil,
    budget: Int = 1 << 30
  ) -> MethodContext {
    let ways = ways ?? .current
    return MethodContext(
      model: model, tokenizer: tokenizer, tasks: tasks, tree: tree, groups: groups, encodingPath: ways.text,
      imagePath: ways.image, activationBudget: budget)
  }

  /// The tokens of class names, closed by a full stop.
  public func names(_ names: [String]) -> [ClassTokens] {
    names.map {
      ClassTokens(
        name: tokenizer.tokens(of: $0), closing: tokenizer.tokens(of: "."), start: tokenizer.startToken,
        end: tokenizer.endToken)
    }
  }

  /// The tokens of whole sentences.
  public func sentences(_ texts: [String]) -> [ClassTokens] {
    texts.map { ClassTokens(sentence: tokenizer.encode($0).ids) }
  }

  /// Numbers from N(0, deviation²) in the model's precision, the same for the same seed.
  public func normal(_ shape: [Int], seed: UInt64, deviation: Double = 1) throws -> Tensor {
    var generator = SeededGenerator(seed: seed, label: "test tensor")
    return try Tensor.normal(shape, deviation: deviation, generator: &generator).to(dtype)
  }

  /// Unit features, pixels and labels of one task: every class a direction and a pattern of its own, with noise.
  public func batch(task: Int, classes: Int, count: Int = 12, seed: UInt64) throws -> TaskBatch {
    let width = model.configuration.projectionWidth
    let labels = (0..<count).map { Int64($0 % classes) }
    let centres = try normal([classes, width], seed: seed)
    let noise = try normal([count, width], seed: seed &+ 0x1000, deviation: 0.5)
    let features = try (centres.gathered(0, .indices(labels.map(Int.init))) + noise).normalized()
    let side = model.configuration.imageSize
    let scenes = try normal([classes, 3, side, side], seed: seed &+ 0x2000)
    let grain = try normal([count, 3, side, side], seed: seed &+ 0x3000, deviation: 0.5)
    let pixels = try scenes.gathered(0, .indices(labels.map(Int.init))) + grain
    return TaskBatch(
      task: task, features: features, labels: try Tensor(labels, shape: [count]),
      pictures: .init(PixelTensor(pixels), rows: Array(0..<count)))
  }

  /// One batch for each of `tasks`; a task's pictures depend on its name and not on its place.
  public func batches(_ tasks: [PromptTask], seed: UInt64 = 1) throws -> [TaskBatch] {
    try tasks.enumerated().map { index, task in
      let own = task.name.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) }
      return try batch(task: index, classes: task.classNames.count, seed: own)
    }
  }
}
