import BanyanCLIP
public import BanyanFoundation
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
  public struct Configuration: GroupedPromptSettings, Codable, Sendable, Equatable {
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
    options: Configuration.commonOptions + [
      .init("sourceRows", "Rows of the source prompt (m), a divisor of the length; null for the length."),
      .init(
        "sourceColumns", "Columns of the source prompt (n), a divisor of both towers' widths; null for a large one."),
      .init("sharesSource", "Whether one source prompt serves all layers."),
    ])
  public static let defaults = Configuration()

  let parts: GroupedPromptParts
  private let configuration: Configuration
  private let source: (rows: Int, columns: Int)
  private let scale: (text: Double, image: Double)

  public init(_ configuration: Configuration, context: MethodContext) throws {
    self.configuration = configuration
    parts = try GroupedPromptParts(configuration, context: context)
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
    scale = (
      try model.text.tokenScale() / configuration.deviation, try model.image.tokenScale() / configuration.deviation
    )
  }

  func start(_ generator: inout SeededGenerator) throws -> ParameterTree {
    var unit = ParameterTree()
    for layer in 0..<(configuration.sharesSource ? 1 : parts.depth.layers) {
      unit[sourcePath(layer)] = try .normal(
        [source.rows, source.columns], deviation: configuration.deviation, generator: &generator)
    }
    for (tower, layers, width) in parts.stacks {
      for layer in 0..<layers {
        unit["\(tower).\(layer)"] = try .full(
          [configuration.length / source.rows, width / source.columns], tower == "text" ? scale.text : scale.image)
      }
    }
    return unit
  }

  func prompts(_ unit: (String) throws -> Tensor) throws -> TowerPrompts {
    try parts.prompts { try Self.kronecker(unit("\($0).\($1)"), unit(sourcePath($1))) }
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
