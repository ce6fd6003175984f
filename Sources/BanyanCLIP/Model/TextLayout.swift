import BanyanFoundation
import BanyanTensor

/// Which token stands at which position, for every class and with the contexts of an injection in place.
///
/// A row is split in two: a prefix that all classes share (the start token, the contexts where they stand in front of the
/// names, and the tokens with which all names begin, as in "a photo of a …") and a suffix of the class's own tokens.
struct TextLayout {
  /// What stands at one position of a suffix.
  enum Slot: Equatable {
    case token(Int32)
    case context(Int)
  }

  /// The start token.
  let start: Int32
  /// How many contexts of layer 0 are in the shared prefix.
  let prefixContexts: Int
  /// How many contexts of layer 0 are in the suffixes.
  let suffixContexts: Int
  /// The tokens behind the contexts with which all names begin.
  let common: [Int32]
  /// One suffix per class, ending in the end token.
  let suffixes: [[Slot]]
  /// Whether contexts differ by class.
  let perClass: Bool

  /// - Parameter sharing: Whether tokens with which all names begin belong to the prefix.
  init(_ names: [ClassTokens], injection: PromptInjection, contextLength: Int, sharing: Bool) throws {
    guard let first = names.first else {
      throw BanyanError(.usage, at: "text tower", "expected at least one class name, found none")
    }
    guard names.allSatisfy({ $0.start == first.start }) else {
      throw BanyanError(.usage, at: "text tower", "the class names disagree on the start token")
    }
    start = first.start
    let context = injection.layers[0]
    perClass = context?.rank == 4
    if let context, perClass, context.extent(1) != names.count {
      throw BanyanError(
        .usage, at: "class-specific contexts", "expected \(names.count) classes, found \(context.extent(1))")
    }
    let count = context?.extent(-2) ?? 0
    let inPrefix = !perClass && injection.position == .end
    prefixContexts = inPrefix ? count : 0
    suffixContexts = inPrefix ? 0 : count
    let before: Int
    switch injection.position {
    case .end: before = count
    case .middle: before = count / 2
    case .front: before = 0
    }
    let contexts = inPrefix ? [] : (0..<count).map(Slot.context)
    let (ahead, behind) = inPrefix ? (contexts, contexts) : (Array(contexts[..<before]), Array(contexts[before...]))
    let whole = names.map { name in
      ahead + name.name.map(Slot.token) + behind + name.closing.map(Slot.token) + [.token(name.end)]
    }
    common = sharing ? Self.commonTokens(whole) : []
    let shared = common.count
    suffixes = whole.map { Array($0.dropFirst(shared)) }
    let longest = 1 + prefixContexts + (whole.map(\.count).max() ?? 0)
    guard longest <= contextLength else {
      throw BanyanError(
        .usage, at: "text tower",
        "a class name with its context takes \(longest) positions, the model has \(contextLength)",
        remedy: "Shorten the class name or use a smaller context length.")
    }
  }

  /// The longest suffix.
  var width: Int { suffixes.map(\.count).max() ?? 0 }

  /// Positions in the prefix: the start token, its contexts and what all names begin with.
  var prefixLength: Int { 1 + prefixContexts + common.count }

  /// What all rows begin with, up to a first context and short of the end token.
  private static func commonTokens(_ rows: [[Slot]]) -> [Int32] {
    guard let first = rows.first else { return [] }
    let limit = rows.map(\.count).min() ?? 0
    var tokens: [Int32] = []
    for position in 0..<max(0, limit - 1) {
      guard case .token(let id) = first[position], rows.allSatisfy({ $0[position] == .token(id) }) else { break }
      tokens.append(id)
    }
    return tokens
  }
}
