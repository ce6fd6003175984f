public import BanyanCLIP
public import BanyanTensor

/// A text around a class name, of words or of learned vectors.
public enum PromptSentence: Sendable {
  /// Words with `{}` for the class name.
  case words(String)
  /// Learned vectors, [length, width], beside the class name, and a full stop.
  case vectors(Tensor, PromptInjection.Position)

  /// The sentence with `{}` for the class name, where `tokens` are the words that stand for its vectors, one each.
  public func template(_ tokens: [String]) -> String {
    switch self {
    case .words(let text): return text
    case .vectors(_, let position):
      let before: Int
      switch position {
      case .end: before = tokens.count
      case .middle: before = tokens.count / 2
      case .front: before = 0
      }
      // With a space, so that the full stop is a token of its own behind a name that ends in a parenthesis too, as it was learned.
      return tokens[..<before].joined() + "{}" + tokens[before...].joined() + " ."
    }
  }
}
