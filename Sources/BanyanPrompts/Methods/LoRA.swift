import BanyanCLIP
public import BanyanFoundation
import BanyanTensor

/// Adds products of two narrow matrices to the attention's projections in both towers.
///
/// ``FineTuning`` moves a weight freely; here a query, key or value projection `W` stays frozen and what is added to it has
/// a rank of at most `r`:
///
///     W' = W + α/√r · B A        // W [width, width],  A [r, width],  B [width, r]
///
/// `A` starts uniform on ±1/√width (Kaiming), `B` at zero: the start is the frozen model. A step forms each `W'` once; no
/// picture costs more than in the frozen model.
///
/// Papers: Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models*, ICLR 2022, arXiv:2106.09685, which scales by
/// α/r; Zanella and Ben Ayed, *Low-Rank Few-Shot Adaptation of Vision-Language Models*, CVPRW 2024, arXiv:2405.18541, whose
/// code scales by α/√r and has these defaults. Their dropout of 0.25 in front of `A` is left out: a step here is a function
/// of parameters and batch alone. Adds `2 r · width` parameters for every adapted projection of every task; replaces the
/// paths `*.blocks.*.attention.qkv.weight`.
public struct LoRA: BackboneMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// `r`, the width between the two factors.
    public var rank = 2
    /// `α`, the factor of what is added.
    public var alpha = 1.0
    /// What `α` is divided by.
    public var scaling = Scaling.root
    /// Which projections.
    public var matrices = Projection.allCases
    /// Of which towers.
    public var towers = AdaptedTowers.both
    /// The first so many layers; `null` for all.
    @Nullable public var depth: Int?
    /// Whether one set of factors serves all tasks.
    public var shared = false
    /// Sentences with `{}` for the class name.
    public var templates = ["a photo of a {}."]
  }

  /// What `α` is divided by.
  public enum Scaling: String, NamedChoice {
    /// The square root of the rank.
    case root
    /// The rank.
    case rank
  }

  /// A projection of the attention, in the order in which their rows stand in the fused weight.
  public enum Projection: String, NamedChoice {
    /// What asks.
    case query
    /// What is asked.
    case key
    /// What is mixed.
    case value
  }

  public static let descriptor = MethodDescriptor(
    name: "lora", title: "LoRA",
    summary: "Low-rank changes of the attention's projections in both towers.",
    paper: "Zanella and Ben Ayed, Low-Rank Few-Shot Adaptation of Vision-Language Models, CVPRW 2024",
    options: [
      .init("rank", "Rank of what is added to a projection (r)."),
      .init("alpha", "Factor of what is added (α)."),
      .init("scaling", "What the factor is divided by: the root of the rank, or the rank."),
      .init("matrices", "Which projections of the attention change: query, key, value."),
      .init("towers", "Whose projections change: those of both towers, of the image or of the text tower."),
      .init("depth", "The first so many layers change; null for all."),
      .init("shared", "Whether one set of factors serves all tasks; if not, every task has its own."),
      .init("templates", "Sentences with {} for the class name; their unit features are averaged."),
    ])
  public static let defaults = Configuration()

  public static func shared(_ configuration: Configuration) -> Configuration {
    setting(\.shared, to: true, in: configuration)
  }

  let context: MethodContext
  let backbone: AdaptedBackbone
  private let configuration: Configuration
  private let scale: Double

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    self.context = context
    backbone = try AdaptedBackbone(
      configuration.templates, towers: configuration.towers, isShared: configuration.shared, context: context)
    let rank = Double(configuration.rank)
    scale = configuration.alpha / (configuration.scaling == .root ? rank.squareRoot() : rank)
    try check()
  }

  func start(_ label: String, seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    for tower in configuration.towers.names {
      let width = geometry(tower).width
      for block in blocks(tower) {
        for projection in configuration.matrices {
          let path = "\(block).attention.\(projection.rawValue)"
          var generator = SeededGenerator(seed: seed, label: "low-rank factor \(path) of \(label)")
          tree["\(path).A"] = try .uniform(
            [configuration.rank, width], bound: 1 / Double(width).squareRoot(), generator: &generator)
          tree["\(path).B"] = try .zeros([width, configuration.rank])
        }
      }
    }
    return tree
  }

  func changed(_ tower: String, _ own: (String) throws -> Tensor) throws -> ParameterTree {
    var tree = ParameterTree()
    for block in blocks(tower) {
      let path = "\(block).attention.qkv.weight"
      let frozen = try backbone.weight(path)  // [3 · width, width]
      let width = frozen.extent(1)
      let added = try Projection.allCases.map { projection in
        guard configuration.matrices.contains(projection) else {
          return try Tensor.zeros([width, width], dtype: frozen.dtype, device: frozen.device)
        }
        let factors = "\(block).attention.\(projection.rawValue)"
        return try own("\(factors).B").matmul(own("\(factors).A"))
      }
      tree[path] = try frozen + Tensor.concatenated(added, axis: 0) * scale
    }
    return tree
  }

  private func geometry(_ tower: String) -> CLIPConfiguration.Transformer {
    tower == "image" ? context.model.configuration.image : context.model.configuration.text
  }

  private func blocks(_ tower: String) -> [String] {
    let layers = geometry(tower).layers
    return (0..<min(layers, configuration.depth ?? layers)).map { "\(tower).blocks.\($0)" }
  }

  private func check() throws {
    let towers = configuration.towers.names.map(geometry)
    let (width, layers) = (towers.map(\.width).min() ?? 1, towers.map(\.layers).max() ?? 1)
    guard (1...width).contains(configuration.rank) else {
      throw BanyanError(.usage, at: "rank", "expected 1 to \(width), found \(configuration.rank)")
    }
    guard configuration.alpha > 0, configuration.alpha.isFinite else {
      throw BanyanError(.usage, at: "alpha", "expected a positive number, found \(configuration.alpha)")
    }
    if let depth = configuration.depth, !(1...layers).contains(depth) {
      throw BanyanError(.usage, at: "depth", "expected 1 to \(layers), found \(depth)")
    }
    let matrices = configuration.matrices
    guard !matrices.isEmpty, Set(matrices).count == matrices.count else {
      throw BanyanError(
        .usage, at: "matrices",
        "expected one to three different ones of \(Projection.allCases.map(\.rawValue).joined(separator: ", ")), found "
          + (matrices.isEmpty ? "none" : matrices.map(\.rawValue).joined(separator: ", ")))
    }
  }
}
