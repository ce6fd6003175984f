public import BanyanFoundation
public import BanyanTensor

/// The tokens that a method adds to one tower, layer by layer: all that an encoder ever learns about a method.
///
/// `layers[k]` enters the input of block `k`, right after the start or class token, and takes the place of whatever an
/// earlier layer had put there; the outputs at these positions are thrown away at the next injected layer. Layers without
/// an entry hand their prompts on. This one rule says a text context at the input, deep text prompts, shallow and deep
/// image prompts, and prompts that start in the middle of a tower.
///
/// Text tokens of layer 0 are part of the input sequence: positional embeddings are added to them. Image tokens of layer
/// 0 enter after the pre-layer norm and have no position.
public struct PromptInjection: Sendable {
  /// Where the class name stands among the text tokens of layer 0: at their end, in their middle, or in front of them.
  public enum Position: String, NamedChoice {
    /// `[start] [v…] [name] . [end]`.
    case end
    /// `[start] [v₁…] [name] […v_M] . [end]`, the first half before the name.
    case middle
    /// `[start] [name] [v…] . [end]`.
    case front
  }

  /// Vectors by layer: [prompts, count, width], or at layer 0 of the text tower [prompts, classes, count, width] for
  /// contexts that differ by class.
  public var layers: [Int: Tensor]
  /// Where the tokens of layer 0 stand in a text.
  public var position: Position

  /// An injection of `layers`.
  public init(layers: [Int: Tensor], position: Position = .end) {
    self.layers = layers
    self.position = position
  }

  /// Nothing is added.
  public static var none: PromptInjection { PromptInjection(layers: [:]) }

  /// How many prompts are encoded side by side; 1 where nothing is injected.
  public var promptCount: Int { layers.values.first?.shape.first ?? 1 }

  /// Checks shapes against a tower.
  ///
  /// - Throws: A `BanyanError` that names the layer, the expected and the found shape.
  func check(width: Int, depth: Int, tower: String) throws {
    for (layer, tokens) in layers.sorted(by: { $0.key < $1.key }) {
      let subject = "prompts at layer \(layer) of the \(tower) tower"
      guard (0..<depth).contains(layer) else {
        throw BanyanError(.usage, at: subject, "the tower has layers 0 to \(depth - 1)")
      }
      let shape = tokens.shape
      let perClass = tower == "text" && layer == 0 && shape.count == 4
      guard shape.count == 3 || perClass, shape.last == width, shape[0] == promptCount, promptCount > 0 else {
        throw BanyanError(
          .usage, at: subject, "expected shape [\(max(1, promptCount)), count, \(width)], found \(shape)")
      }
    }
    if position != .end && layers.keys.contains(where: { $0 > 0 }) {
      throw BanyanError(
        .usage, at: "class position \(position.rawValue)", "deep prompts stand in front of the class name")
    }
  }
}
