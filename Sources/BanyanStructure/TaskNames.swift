import BanyanFoundation

/// What every structure asks of a list of task names.
enum TaskNames {
  /// The most tasks one tree may have: a degenerate tree of `T` tasks lists `T²/2` memberships.
  static let limit = 4096

  static func check(_ names: [String]) throws {
    guard !names.isEmpty else {
      throw BanyanError(.malformed, at: "task names", "expected at least one task, found none")
    }
    guard names.count <= limit else {
      throw BanyanError(.malformed, at: "task names", "expected at most \(limit) tasks, found \(names.count)")
    }
    var seen: Set<String> = []
    for name in names {
      guard !name.isEmpty else { throw BanyanError(.malformed, at: "task names", "a name is empty") }
      guard seen.insert(name).inserted else {
        throw BanyanError(
          .malformed, at: "task names", "the name \(name) occurs twice", remedy: "Give every task a name of its own.")
      }
    }
  }

  static func checkPermutation(_ order: [Int], count: Int) throws {
    guard order.count == count, Set(order) == Set(0..<count) else {
      throw BanyanError(
        .usage, at: "order of tasks", "expected every index from 0 to \(count - 1) once, found \(order)")
    }
  }
}
