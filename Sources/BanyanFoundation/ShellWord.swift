/// Words of a command line as a person can paste them into a shell.
public enum ShellWord {
  /// `word` as a shell takes it, in quotes where it must be.
  public static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./".contains($0) }
    return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  /// The command line of `words`: each one ``quoted(_:)``, with spaces between.
  public static func line(_ words: some Sequence<String>) -> String {
    words.map(quoted).joined(separator: " ")
  }
}
