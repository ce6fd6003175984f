public import BanyanFoundation
public import BanyanTensor

/// CLIP's text transformer: token ids to features.
///
/// Attention is causal and the feature is read at the end token, so that what stands behind it never matters.
/// `features(_:injection:path:)` encodes many class names under many prompts at once, on ways that give the same numbers:
/// the plain one of the paper, and two that compute what the names share once (``EncodingPath``).
///
/// Paper: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, arXiv:2103.00020.
public struct TextTower: Sendable {
  /// The geometry.
  public let configuration: CLIPConfiguration
  let tokenEmbedding: Tensor
  package let positionEmbedding: Tensor
  package let blocks: [TransformerBlock]
  let twins: [FusedTwin]
  let finalNorm: LayerNorm
  let projection: Linear

  init(_ configuration: CLIPConfiguration, _ tree: ParameterTree, precision: TowerPrecision = .fp32) throws {
    self.configuration = configuration
    tokenEmbedding = try tree.require("text.tokenEmbedding.weight")
    positionEmbedding = try tree.require("text.positionEmbedding.weight")
    blocks = try (0..<configuration.text.layers).map {
      try TransformerBlock(tree, "text.blocks.\($0)", configuration.text, precision)
    }
    twins = blocks.map { FusedTwin($0, precision) }
    finalNorm = try LayerNorm(tree, "text.finalNorm", epsilon: configuration.text.epsilon)
    projection = try Linear(tree, "text.projection", hasBias: false)
  }

  /// How the same features are computed.
  public enum EncodingPath: String, NamedChoice {
    /// All positions of every class name, as published. The twin that the other is tested against.
    case plain
    /// Start token, context and what all names begin with once per prompt, then only the names' own tokens up to the end
    /// token.
    case sharedPrefix
    /// What ``sharedPrefix`` computes, with names of one length beside each other and every block as one op; a tower
    /// that is not on the processor in single precision takes ``sharedPrefix``.
    case fused
  }

  /// The features of `names` under every prompt of `injection`.
  ///
  /// - Parameters:
  ///   - names: Token ids without start and end, one list per class: the name and what follows it (the full stop).
  ///   - injection: `promptCount` contexts; with none, the names stand alone after the start token.
  ///   - path: Which of the ways that give the same numbers.
  ///   - packed: Whether, where gradients follow, ``EncodingPath/fused`` keeps the frozen weights packed for products: for steps
  ///     over as many tokens each, a tenth faster for twice the memory of the blocks' weights.
  /// - Returns: [prompts, classes, projection]; not normalised.
  /// - Throws: A `BanyanError` where a name is too long for the context length.
  public func features(
    _ names: [ClassTokens], injection: PromptInjection = .none, path: EncodingPath = .fused,
    packed: Bool = false
  ) throws -> Tensor {
    try injection.check(width: configuration.text.width, depth: blocks.count, tower: "text")
    let layout = try TextLayout(
      names, injection: injection, contextLength: configuration.contextLength, sharing: path != .plain)
    return switch taken(path) {
    case .plain: try plainFeatures(layout, injection)
    case .sharedPrefix: try sharedPrefixFeatures(layout, injection)
    case .fused: try fusedFeatures(layout, injection, packed: packed)
    }
  }

  /// The way that is taken where `path` is asked for: weights elsewhere, or in other numbers, have no fused blocks.
  public func taken(_ path: EncodingPath) -> EncodingPath {
    path == .fused && !twins.allSatisfy(\.exists) ? .sharedPrefix : path
  }

  /// The embeddings of token ids, [count, width]; without positions.
  public func embeddings(of ids: [Int32]) throws -> Tensor {
    try tokenEmbedding.gathered(0, .indices(ids.map(Int.init), device: tokenEmbedding.device))
  }

  /// The root mean square of the token embeddings' entries: the scale at which tokens enter.
  public func tokenScale() throws -> Double { try tokenEmbedding.to(.float64).squared().mean().item().squareRoot() }

  /// Final norm and projection of the end tokens, [..., width] to [..., projection].
  func project(_ ends: Tensor) throws -> Tensor { try projection(finalNorm(ends)) }
}

/// One class name as token ids: the name, then what closes the sentence; start and end tokens are told apart.
public struct ClassTokens: Sendable, Equatable, Hashable {
  /// The name's own tokens.
  public var name: [Int32]
  /// What follows the name and a context behind it: usually the full stop.
  public var closing: [Int32]
  /// The start token.
  public var start: Int32
  /// The end token, at which the feature is read.
  public var end: Int32

  /// Creates the tokens of a class name.
  public init(name: [Int32], closing: [Int32], start: Int32, end: Int32) {
    self.name = name
    self.closing = closing
    self.start = start
    self.end = end
  }

  /// A whole sentence, from ids that begin with the start token and end with the end token.
  public init(sentence ids: [Int32]) {
    self.init(name: Array(ids.dropFirst().dropLast()), closing: [], start: ids.first ?? 0, end: ids.last ?? 0)
  }
}
