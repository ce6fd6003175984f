import BanyanFoundation

/// What a Newick text says, before it is a tree of tasks.
struct NewickForest {
  struct Node {
    var label: String?
    var length: Double?
    var children: [Int] = []
    var isSharedGroup = false
  }

  /// Children stand before their parents.
  var nodes: [Node] = []
  var roots: [Int] = []

  func draft(order: [String]) -> TaskTreeDraft {
    let place = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let affinities = mergeAffinities()
    var draft = TaskTreeDraft()
    var drafted: [Int?] = []
    let grouped = Set(nodes.filter(\.isSharedGroup).flatMap(\.children))
    for (index, node) in nodes.enumerated() {
      if node.isSharedGroup {
        drafted.append(draft.addLeaf(tasks: node.children.compactMap { place[nodes[$0].label ?? ""] }))
      } else if !node.children.isEmpty {
        drafted.append(draft.join(node.children.compactMap { drafted[$0] }, affinity: affinities?[index]))
      } else {
        let task = place[node.label ?? ""].map { [$0] } ?? []
        drafted.append(grouped.contains(index) ? nil : draft.addLeaf(tasks: task))
      }
    }
    return draft
  }

  /// Per node its merge affinity (unused for childless nodes), from labels or else from lengths.
  private func mergeAffinities() -> [Double]? {
    let inner = nodes.indices.filter { !nodes[$0].children.isEmpty && !nodes[$0].isSharedGroup }
    var affinities = [Double](repeating: 0, count: nodes.count)
    var labelled = true
    for index in inner {
      if let value = nodes[index].label.flatMap(Double.init), value.isFinite {
        affinities[index] = value
      } else {
        labelled = false
      }
    }
    if labelled { return affinities }
    var heights = [Double](repeating: 0, count: nodes.count)
    for index in inner {
      var ends: [Double] = []
      for child in nodes[index].children {
        guard let length = nodes[child].length else { return nil }
        ends.append(heights[child] + length)
      }
      guard let low = ends.min(), let high = ends.max(), high - low <= 1e-6 else { return nil }
      heights[index] = high
      affinities[index] = 1 - high
    }
    return affinities
  }
}

/// A reader of Newick text that keeps its own stack, so that deep nesting in a file cannot exhaust the machine's.
struct NewickReader {
  private let text: [Unicode.Scalar]
  private var position = 0
  private var forest = NewickForest()

  init(_ newick: String) { text = Array(newick.unicodeScalars) }

  mutating func read() throws -> NewickForest {
    try skip()
    while position < text.count {
      forest.roots.append(try tree())
      guard peek == ";" else { throw refuse("expected ; at the end of the tree") }
      position += 1
      try skip()
    }
    guard !forest.roots.isEmpty else { throw refuse("expected a tree such as (a,(b,c));") }
    return forest
  }

  /// One tree up to its semicolon; `open` holds the children met so far of every group that is still open.
  private mutating func tree() throws -> Int {
    var open: [[Int]] = []
    while true {
      try skip()
      if peek == "(" {
        position += 1
        open.append([])
        continue
      }
      var done = try leaf()
      while true {
        if open.isEmpty { return done }
        open[open.count - 1].append(done)
        if peek == "," {
          position += 1
          break
        }
        guard peek == ")" else { throw refuse("expected , or )") }
        position += 1
        done = try group(open.removeLast())
      }
    }
  }

  private mutating func leaf() throws -> Int {
    var node = NewickForest.Node()
    let start = position
    node.label = try label()
    guard node.label?.isEmpty == false else {
      position = start
      throw refuse("expected a task's name")
    }
    _ = try skip()
    node.length = try length()
    return try add(node)
  }

  private mutating func group(_ children: [Int]) throws -> Int {
    var node = NewickForest.Node(children: children)
    var shared = try skip()
    node.label = try label()
    shared = try skip() || shared
    node.length = try length()
    node.isSharedGroup = shared
    if shared {
      guard children.allSatisfy({ forest.nodes[$0].children.isEmpty }) else {
        throw refuse("a group marked [&shared] holds another group; expected names only")
      }
    } else if children.count < 2 {
      throw refuse("expected two members of a group or more, found one")
    }
    return try add(node)
  }

  private mutating func add(_ node: NewickForest.Node) throws -> Int {
    guard forest.nodes.count < 3 * TaskNames.limit else {
      throw BanyanError(.malformed, at: "Newick tree", "expected at most \(TaskNames.limit) tasks")
    }
    forest.nodes.append(node)
    return forest.nodes.count - 1
  }

  private mutating func label() throws -> String? {
    if peek == "'" { return try quotedLabel() }
    var name = String.UnicodeScalarView()
    while let scalar = peek, !"()[]{},:;'\"".unicodeScalars.contains(scalar), !scalar.properties.isWhitespace {
      name.append(scalar)
      position += 1
    }
    return name.isEmpty ? nil : String(name)
  }

  private mutating func quotedLabel() throws -> String {
    let start = position
    var name = String.UnicodeScalarView()
    position += 1
    while let scalar = peek {
      position += 1
      if scalar != "'" {
        name.append(scalar)
      } else if peek == "'" {
        name.append("'")
        position += 1
      } else {
        return String(name)
      }
    }
    position = start
    throw refuse("the quoted name has no end")
  }

  private mutating func length() throws -> Double? {
    guard peek == ":" else { return nil }
    position += 1
    try skip()
    let start = position
    guard let value = try label().flatMap(Double.init), value.isFinite else {
      position = start
      throw refuse("expected a branch length")
    }
    try skip()
    return value
  }

  /// Passes blanks and comments; says whether one of the comments was the mark of a shared node.
  @discardableResult private mutating func skip() throws -> Bool {
    var shared = false
    while let scalar = peek {
      if scalar.properties.isWhitespace {
        position += 1
      } else if scalar == "[" {
        guard let end = text[position...].firstIndex(of: "]") else { throw refuse("the comment has no end") }
        shared = shared || text[position...end].elementsEqual("[&shared]".unicodeScalars)
        position = end + 1
      } else {
        break
      }
    }
    return shared
  }

  private var peek: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private func refuse(_ message: String) -> BanyanError {
    let found = peek.map { "found \($0)" } ?? "the text ended"
    return BanyanError(
      .malformed, at: "Newick tree: character \(position + 1)", "\(message), \(found)",
      remedy: "A tree looks like (sketch,(photo,real));.")
  }
}
