import BanyanFoundation

extension TaskTree {
  /// The tree in Newick form, such as `((photo:0.1,real:0.1)0.9:0.5,sketch:0.6)0.4;`.
  ///
  /// An inner node's label is its merge affinity, exactly, as support values are written elsewhere. Branch lengths are
  /// differences of heights `1 − affinity` (0 at the tasks), rounded to nine digits; where any would be negative (raw
  /// dot products, joins that are not monotone) or unknown, all are left out. Names with anything but letters, digits
  /// and `_ - . +` are quoted. A forest is several trees in a row. Tasks that share a node and have none of their own
  /// stand in a group marked `[&shared]`, which other readers skip as a comment.
  ///
  /// `TaskTree(newick: tree.newick, names: tree.names)` is `tree` again.
  public var newick: String {
    let lengths = branchLengths()
    var texts: [String] = []
    for node in nodes {
      var text: String
      if node.isLeaf {
        text = Self.quoted(node.name ?? "")
      } else if node.children.isEmpty {
        text = "(\(node.tasks.map { Self.quoted(names[$0]) }.joined(separator: ",")))[&shared]"
      } else {
        text = "(\(node.children.map { texts[$0] }.joined(separator: ",")))"
        // A parent takes its children's text over; keeping both would square the memory of a deep tree.
        for child in node.children { texts[child] = "" }
      }
      if let affinity = node.mergeAffinity { text += "\(affinity)" }
      if let lengths, node.parent != nil { text += ":\(lengths[node.index])" }
      texts.append(text)
    }
    return roots.map { texts[$0] + ";" }.joined()
  }

  /// Per node the length of the branch above it; `nil` where the tree has no consistent heights.
  private func branchLengths() -> [Double]? {
    var heights: [Double] = []
    for node in nodes {
      if node.children.isEmpty {
        heights.append(0)
      } else if let affinity = node.mergeAffinity {
        heights.append(1 - affinity)
      } else {
        return nil
      }
    }
    var lengths = [Double](repeating: 0, count: nodes.count)
    for node in nodes {
      guard let parent = node.parent else { continue }
      let length = heights[parent] - heights[node.index]
      guard length >= -1e-9, length < 1e9 else { return nil }
      lengths[node.index] = max(0, (length * 1e9).rounded() / 1e9)
    }
    return lengths
  }

  private static func quoted(_ name: String) -> String {
    let plain = name.unicodeScalars.allSatisfy { scalar in
      scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
        || "_-.+".unicodeScalars.contains(scalar)
    }
    if plain { return name }
    // By scalars, as the reader works: a quote may be one character with a combining mark after it.
    let doubled = name.unicodeScalars.flatMap { $0 == "'" ? [$0, $0] : [$0] }
    return "'" + String(String.UnicodeScalarView(doubled)) + "'"
  }

  /// Reads a tree from Newick text.
  ///
  /// Merge affinities come from the inner nodes' labels where all are numbers, else from branch lengths as
  /// `1 − height` where all are given and every task lies at the same distance below a join (to 1e-6), else they are
  /// unknown. Inner labels that are not numbers and comments are skipped; underscores stay underscores.
  ///
  /// - Parameters:
  ///   - newick: The text, ending in a semicolon.
  ///   - names: The tasks in the order they shall have; `nil` for the order of the text.
  /// - Throws: A `BanyanError` of kind `malformed` with the character's position where the text is no Newick, of kind
  ///   `usage` where its tasks are not `names`.
  public init(newick: String, names: [String]? = nil) throws {
    var reader = NewickReader(newick)
    let forest = try reader.read()
    let found = forest.nodes.filter { $0.children.isEmpty }.map { $0.label ?? "" }
    try TaskNames.check(found)
    if let names { _ = try TaskTree.positions(of: names, in: found) }
    self = forest.draft(order: names ?? found).finish(names: names ?? found)
  }
}
