import BanyanCLIP
public import BanyanFoundation
import BanyanStructure
import BanyanTensor

/// Makes the prompts of both towers from one source by Kronecker products, for groups of alike tasks and for each task.
///
/// ``JointPrompts`` learns the towers' prompts apart and ``MLPPrompts`` couples them by a network; here both are scalings
/// of the same source, at every layer `k`:
///
///     P_text  = M_text  ⊗ P_s     // [b, d_text],  M_text  [b/m, d_text/n],  P_s [m, n]
///     P_image = M_image ⊗ P_s     // [b, d_image], M_image [b/m, d_image/n]
///     block (i, j) of M ⊗ P_s is M[i, j] · P_s
///
/// Paper: Xin et al., *MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning*, AAAI 2024, equations 6
/// to 12. Adds `K · (m n + (b/m)(d_text + d_image)/n)` parameters for every group of several tasks and for every task;
/// touches no backbone path.
public struct MmAP: GroupedPromptMethod {
  /// What may be set.
  public struct Configuration: Codable, Sendable, Equatable {
    /// `b`, prompt tokens at a layer.
    public var length = 8
    /// `m`, rows of the source; `null` for `b`.
    @Nullable public var sourceRows: Int?
    /// `n`, columns of the source; `null` for half the greatest common divisor of the towers' widths.
    @Nullable public var sourceColumns: Int?
    /// Whether one source serves all layers.
    public var sharesSource = false
    /// The first so many layers; `null` for all.
    @Nullable public var depth: Int?
    /// Standard deviation of the source's start.
    public var deviation = 0.02
    /// Whether every task has prompts of its own beside its group's.
    public var taskSpecific = true
  }

  public static let descriptor = MethodDescriptor(
    name: "mmap", title: "MmAP",
    summary: "Prompts of both towers as Kronecker products of one source, for groups of alike tasks and for each task.",
    paper: "Xin et al., MmAP: Multi-modal Alignment Prompt for Cross-domain Multi-task Learning, AAAI 2024",
    options: [
      .init("length", "Prompt tokens at a layer (b)."),
      .init("sourceRows", "Rows of the source prompt (m), a divisor of the length; null for the length."),
      .init(
        "sourceColumns", "Columns of the source prompt (n), a divisor of both towers' widths; null for a large one."),
      .init("sharesSource", "Whether one source prompt serves all layers."),
      .init("depth", "The first so many layers have prompts; null for all."),
      .init("deviation", "Standard deviation of the source prompt's random start."),
      .init("taskSpecific", "Whether every task has prompts of its own beside those of its group."),
    ])
  public static let defaults = Configuration()

  public static func shared(_ configuration: Configuration) -> Configuration {
    var copy = configuration
    copy.taskSpecific = false
    return copy
  }

  let context: MethodContext
  let towers: PromptedTowers
  let groups: TaskGroups
  let hasTaskSpecific: Bool
  private let configuration: Configuration
  private let depth: PromptDepth
  private let source: (rows: Int, columns: Int)
  private let scale: (text: Double, image: Double)

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    self.context = context
    groups = try context.requireGroups()
    hasTaskSpecific = configuration.taskSpecific
    depth = try PromptDepth(
      count: configuration.length, depth: configuration.depth, context: context, keys: ("length", "depth"))
    towers = try PromptedTowers(context, textPrompts: configuration.length * (hasTaskSpecific ? 2 : 1))
    let model = context.model
    let widths = (text: model.configuration.text.width, image: model.configuration.image.width)
    let common = Self.divisors(widths.text).filter { widths.image.isMultiple(of: $0) }
    source = (
      try Self.check(
        configuration.sourceRows ?? configuration.length, "sourceRows", among: Self.divisors(configuration.length),
        "divisors of the length \(configuration.length)"),
      try Self.check(
        configuration.sourceColumns ?? max(1, (common.last ?? 1) / 2), "sourceColumns", among: common,
        "common divisors of the widths \(widths.text) and \(widths.image)")
    )
    guard configuration.deviation > 0, configuration.deviation.isFinite else {
      throw BanyanError(.usage, at: "deviation", "expected a positive number, found \(configuration.deviation)")
    }
    scale = (
      try model.text.tokenScale() / configuration.deviation, try model.image.tokenScale() / configuration.deviation
    )
  }

  func start(_ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    for layer in 0..<(configuration.sharesSource ? 1 : depth.layers) {
      unit[sourcePath(layer)] = try .normal(
        [source.rows, source.columns], deviation: configuration.deviation, generator: &generator)
    }
    let (model, rows) = (context.model.configuration, configuration.length / source.rows)
    for layer in 0..<depth.textLayers {
      unit["text.\(layer)"] = try .full([rows, model.text.width / source.columns], scale.text)
    }
    for layer in 0..<depth.imageLayers {
      unit["image.\(layer)"] = try .full([rows, model.image.width / source.columns], scale.image)
    }
    return unit
  }

  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts {
    func layers(_ tower: String, _ count: Int) throws -> [Int: Tensor] {
      try Dictionary(
        uniqueKeysWithValues: (0..<count).map {
          ($0, try Self.kronecker(unit("\(tower).\($0)"), unit(sourcePath($0))))
        })
    }
    return TowerPrompts(text: try layers("text", depth.textLayers), image: try layers("image", depth.imageLayers))
  }

  private func sourcePath(_ layer: Int) -> String { configuration.sharesSource ? "source" : "source.\(layer)" }
}

extension MmAP {
  /// `M ⊗ P`: [r, c] and [m, n] to [r m, c n].
  fileprivate static func kronecker(_ scaling: Tensor, _ source: Tensor) throws -> Tensor {
    let (r, c, m, n) = (scaling.extent(0), scaling.extent(1), source.extent(0), source.extent(1))
    return try (scaling.reshaped([r, 1, c, 1]) * source.reshaped([1, m, 1, n])).reshaped([r * m, c * n])
  }

  fileprivate static func divisors(_ number: Int) -> [Int] {
    number > 0 ? (1...number).filter { number.isMultiple(of: $0) } : []
  }

  fileprivate static func check(_ value: Int, _ key: String, among choices: [Int], _ what: String) throws -> Int {
    guard choices.contains(value) else {
      throw BanyanError(
        .usage, at: key, "expected one of the \(what), found \(value)",
        remedy: "Choose one of: \(choices.map(String.init).joined(separator: ", ")).")
    }
    return value
  }
}
