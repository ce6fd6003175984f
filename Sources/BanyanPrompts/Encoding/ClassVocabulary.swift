import BanyanCLIP
import BanyanFoundation

/// The class names of all tasks as token ids, each distinct list of names once.
///
/// Tasks with the same class names share one list, so that a prompt is encoded once for all of them.
struct ClassVocabulary: Sendable {
  /// The distinct lists.
  let classSets: [[ClassTokens]]
  /// Which list each task uses.
  let classSet: [Int]

  /// - Parameter position: Where contexts stand: the full stop follows whatever is last.
  init(_ tasks: [PromptTask], tokenizer: CLIPTokenizer) throws {
    let stop = tokenizer.tokens(of: ".")
    var sets: [[String]] = []
    classSet = tasks.map { task in
      if let known = sets.firstIndex(of: task.classNames) { return known }
      sets.append(task.classNames)
      return sets.count - 1
    }
    classSets = try sets.map { names in
      try names.map { name in
        let tokens = tokenizer.tokens(of: name)
        guard !tokens.isEmpty else {
          throw BanyanError(
            .malformed, at: "class name \"\(name)\"", "gives no token", remedy: "Give the class a name.")
        }
        return ClassTokens(name: tokens, closing: stop, start: tokenizer.startToken, end: tokenizer.endToken)
      }
    }
  }
}
