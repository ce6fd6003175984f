/// Names that a mistyped one may have meant.
public enum NearNames {
  /// The names closest to `name`, nearest first, at most three and none that is far off.
  public static func suggestions(for name: String, among names: some Sequence<String>) -> [String] {
    // What is longer than any name is no name that was mistyped, and comparing it would take long.
    guard name.utf8.count <= 256 else { return [] }
    let wanted = Array(name.lowercased())
    let limit = max(2, wanted.count / 2)
    return
      names
      .map { candidate -> (String, Int) in
        let other = candidate.lowercased()
        let prefixed = other.hasPrefix(name.lowercased()) || name.lowercased().hasPrefix(other)
        return (candidate, prefixed ? 1 : distance(wanted, Array(other)))
      }
      .filter { $0.1 <= limit }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      .prefix(3).map(\.0)
  }

  /// `Did you mean a or b?`, or the whole choice where nothing is near.
  public static func remedy(for name: String, among names: some Sequence<String>) -> String {
    let near = suggestions(for: name, among: names)
    if near.isEmpty { return "Choose one of: \(names.sorted().joined(separator: ", "))." }
    return "Did you mean \(near.joined(separator: " or "))?"
  }

  /// The edit distance (insert, delete, replace, swap of neighbours).
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in 0...a.count { table[i][0] = i }
    for j in 0...b.count { table[0][j] = j }
    for i in 1...a.count {
      for j in 1...b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
        }
      }
    }
    return table[a.count][b.count]
  }
}
