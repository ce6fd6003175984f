import BanyanFoundation

/// What the program says to the shell; the only place where errors become numbers.
enum ExitCodes {
  static func code(for error: BanyanError) -> Int32 {
    switch error.kind {
    case .failed: 1
    case .usage: 64
    case .malformed: 65
    case .missingInput: 66
    case .unavailable: 69
    case .interrupted: 130
    }
  }

  /// A task's pictures have changed: what `banyan drift` was asked to find.
  static let drift: Int32 = 3

  /// The codes in words, for the help text.
  static let table =
    "0 done, 1 failed, 3 drift found, 64 usage, 65 malformed data or checkpoint, 66 missing input, 69 engine or device unavailable, "
    + "130 interrupted after saving."
}
