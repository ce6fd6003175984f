import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// One list of class names under several prompts.
struct EncodingRequest: Sendable, Equatable {
  /// The paths of the contexts.
  var contexts: [String]
  /// Which list of class names.
  var classSet: Int
}

/// One prompt over one list of class names: the least that an objective can be computed on.
struct EncodingUnit: Sendable, Hashable {
  /// The path of the context.
  var context: String
  /// Which list of class names.
  var classSet: Int
}

/// Turns contexts into classifiers, `w = normalise(text(context, names))`, and pulls gradients back.
///
/// The loss is computed on detached classifiers and its gradient `∂L/∂w` is carried back through the text tower
/// afterwards. Where the activations of all class names fit the budget the forward pass is kept. Beyond it a step takes the
/// prompts in ``groups(of:_:)`` one after the other, where its objective lets it; else, and within a list of names, these are
/// encoded in chunks, of which the first keep their activations and the others are run again for their gradients. Memory does not
/// grow with the number of classes or tasks either way.
struct PromptEncoder: Sendable {
  let text: TextTower
  let vocabulary: ClassVocabulary
  let position: PromptInjection.Position
  let path: TextTower.EncodingPath
  let activationBudget: Int

  init(_ context: MethodContext, position: PromptInjection.Position = .end) throws {
    text = context.model.text
    vocabulary = try ClassVocabulary(context.tasks, tokenizer: context.tokenizer)
    self.position = position
    path = context.encodingPath
    activationBudget = context.activationBudget
  }

  /// A part of a request that is encoded at once.
  struct Chunk {
    let request: Int
    /// Which of the request's contexts, all of one shape.
    let rows: Range<Int>
    let contexts: [String]
    let classSet: Int
    let classes: Range<Int>

    /// The chunk's part of a request's [contexts, classes, projection].
    func part(of whole: Tensor) throws -> Tensor {
      try whole.narrowed(0, start: rows.lowerBound, length: rows.count)
        .narrowed(1, start: classes.lowerBound, length: classes.count)
    }
  }

  /// Classifiers that remember how they came about.
  struct Encoded {
    /// One per request, [prompts, classes, projection], unit rows, leaves that a loss may be computed on.
    let classifiers: [Tensor]
    fileprivate let chunks: [Chunk]
    /// The results of the first chunks, with their graphs; the others have to be run again.
    fileprivate let graphs: [Tensor]
  }

  /// The classifiers of `requests`, without gradients: one [prompts, classes, projection] per request.
  func classifiers(_ requests: [EncodingRequest], _ parameters: ParameterTree) throws -> [Tensor] {
    try Engine.withoutGradients {
      let chunks = chunks(of: requests, parameters).all
      return try join(chunks.map { try encode($0, parameters) }, chunks, requests)
    }
  }

  /// The classifiers of `requests`, ready for ``pullBack(_:of:from:parameters:)``.
  ///
  /// - Parameter whole: Whether these are all of a step. Where they are encoded at once, the step after it asks for as many tokens, and
  ///   weights stay packed.
  func encode(_ requests: [EncodingRequest], _ parameters: ParameterTree, whole: Bool) throws -> Encoded {
    let (chunks, kept) = chunks(of: requests, parameters)
    let packed = whole && chunks.count == 1 && kept == 1
    let graphs = try Engine.withGradients {
      try chunks.prefix(kept).map { try encode($0, parameters, packed: packed) }
    }
    let rest = try Engine.withoutGradients { try chunks.dropFirst(kept).map { try encode($0, parameters) } }
    let joined = try join(graphs + rest, chunks, requests)
    return Encoded(classifiers: try joined.map { try $0.asParameter() }, chunks: chunks, graphs: graphs)
  }

  /// Carries gradients with respect to classifiers back to the contexts.
  ///
  /// What no cotangent reaches is not gone through: a task's gradient costs what its own names and contexts do, and not what
  /// stands beside them.
  ///
  /// - Parameters:
  ///   - cotangents: One per request, `∂L/∂w`; `nil` where the loss does not depend on it.
  ///   - contexts: The contexts that the loss depends on; all of the requests' where `nil`. Rows of others must be zero.
  /// - Returns: The gradient of every parameter in `parameters`; zeros for those that no request names.
  func pullBack(
    _ cotangents: [Tensor?], of contexts: Set<String>? = nil, from encoded: Encoded, parameters: ParameterTree
  ) throws -> ParameterTree {
    func part(_ chunk: Chunk) throws -> Tensor? {
      guard contexts.map({ !$0.isDisjoint(with: chunk.contexts) }) ?? true else { return nil }
      return try cotangents[chunk.request].map(chunk.part)
    }
    var total = ParameterTree()
    let reached = try zip(encoded.graphs, encoded.chunks.prefix(encoded.graphs.count).map(part)).compactMap {
      graph, part in part.map { (graph, $0) }
    }
    // Retained, so that several tasks' gradients can be pulled back from one forward pass.
    let gradients = try Gradients.ofUsed(
      reached.map(\.0), cotangents: reached.map(\.1), with: parameters.tensors, retainingGraph: true)
    for (path, gradient) in zip(parameters.paths, gradients) { total[path] = gradient }
    for chunk in encoded.chunks.dropFirst(encoded.graphs.count) {
      guard let cotangent = try part(chunk) else { continue }
      let own = Array(Set(chunk.contexts)).sorted()
      let result = try Engine.withGradients { try encode(chunk, parameters) }
      let gradients = try Gradients.of([result], cotangents: [cotangent], with: own.map { try parameters.require($0) })
      for (path, gradient) in zip(own, gradients) {
        total[path] = try total[path].map { try $0 + gradient } ?? gradient
      }
    }
    return try parameters.mapTensors { path, tensor in
      try total[path] ?? Tensor.zeros(tensor.shape, dtype: tensor.dtype, device: tensor.device)
    }
  }

  /// The prompts of `requests`, each over one list of class names, in groups whose activations may be kept at once, in their order;
  /// one at least.
  func groups(of requests: [EncodingRequest], _ parameters: ParameterTree) -> [Set<EncodingUnit>] {
    var groups: [Set<EncodingUnit>] = []
    var room = 0
    for request in requests {
      for context in request.contexts {
        let cost = cost(parameters[context]?.shape ?? [], classSet: request.classSet)
        if groups.isEmpty || cost > room {
          groups.append([])
          room = activationBudget
        }
        groups[groups.count - 1].insert(EncodingUnit(context: context, classSet: request.classSet))
        room -= cost
      }
    }
    return groups
  }

  private func encode(_ chunk: Chunk, _ parameters: ParameterTree, packed: Bool = false) throws -> Tensor {
    var contexts = try Tensor.stacked(chunk.contexts.map { try parameters.require($0) })
    if contexts.rank == 4 {
      contexts = try contexts.narrowed(1, start: chunk.classes.lowerBound, length: chunk.classes.count)
    }
    let names = Array(vocabulary.classSets[chunk.classSet][chunk.classes])
    let injection = PromptInjection(layers: [0: contexts], position: position)
    return try text.features(names, injection: injection, path: path, packed: packed).normalized()
  }

  /// `requests` cut so that contexts of one shape are together and the activations stay within the budget.
  ///
  /// - Returns: All parts, and how many of the first may keep their activations while one of the others is run again.
  private func chunks(of requests: [EncodingRequest], _ parameters: ParameterTree) -> (all: [Chunk], kept: Int) {
    let fits = fits(requests, parameters)
    // A small part of the budget each, so that most of it can be kept.
    let budget = max(1, fits ? activationBudget : activationBudget / 6)
    let all = requests.enumerated().flatMap { index, request -> [Chunk] in
      let classes = vocabulary.classSets[request.classSet].count
      return Self.runs(of: request.contexts.map { parameters[$0]?.shape ?? [] }).flatMap { shape, run -> [Chunk] in
        var (prompts, length) = (run.count, classes)
        if !fits {
          // Whole prompts where one fits, parts of the class list where not.
          let perPrompt = cost(shape, classSet: request.classSet)
          prompts = max(1, budget / max(1, perPrompt))
          let parts = perPrompt > budget ? (perPrompt - 1) / budget + 1 : 1
          length = (classes + parts - 1) / parts
        }
        return stride(from: run.lowerBound, to: run.upperBound, by: prompts).flatMap { first in
          stride(from: 0, to: classes, by: length).map { start in
            let rows = first..<min(first + prompts, run.upperBound)
            return Chunk(
              request: index, rows: rows, contexts: Array(request.contexts[rows]), classSet: request.classSet,
              classes: start..<min(start + length, classes))
          }
        }
      }
    }
    if fits { return (all, all.count) }
    var (room, kept) = (activationBudget - budget, 0)
    for chunk in all {
      let shape = parameters[chunk.contexts[0]]?.shape ?? []
      let share = Double(chunk.classes.count) / Double(max(1, vocabulary.classSets[chunk.classSet].count))
      room -= Int(Double(chunk.rows.count * cost(shape, classSet: chunk.classSet)) * share)
      if room < 0 { break }
      kept += 1
    }
    return (all, kept)
  }

  /// The stretches of equal shapes; tasks may start from words of their own, with a context as long as those.
  private static func runs(of shapes: [[Int]]) -> [(shape: [Int], rows: Range<Int>)] {
    var runs: [(shape: [Int], rows: Range<Int>)] = []
    for (row, shape) in shapes.enumerated() {
      if let last = runs.last, last.shape == shape {
        runs[runs.count - 1].rows = last.rows.lowerBound..<row + 1
      } else {
        runs.append((shape, row..<row + 1))
      }
    }
    return runs
  }

  /// Whether the activations of all requests may be kept at once.
  private func fits(_ requests: [EncodingRequest], _ parameters: ParameterTree) -> Bool {
    requests.reduce(0) { sum, request in
      sum + request.contexts.reduce(0) { $0 + cost(parameters[$1]?.shape ?? [], classSet: request.classSet) }
    } <= activationBudget
  }

  /// About how many bytes of activations one prompt over a list of class names keeps for the backward pass.
  ///
  /// - Parameter shape: The context's, [length, width] or [classes, length, width].
  private func cost(_ shape: [Int], classSet: Int) -> Int {
    let (names, path) = (vocabulary.classSets[classSet], text.taken(path))
    let longest = names.map { $0.name.count + $0.closing.count + 1 }.max() ?? 0
    let context = shape.dropLast().last ?? 0
    let inPrefix = path != .plain && position == .end && shape.count < 3
    let own = path == .fused ? names.reduce(0) { $0 + $1.name.count + $1.closing.count + 1 } : names.count * longest
    let tokens =
      path == .plain
      ? names.count * text.configuration.contextLength : own + (inPrefix ? 0 : names.count * context) + 1 + context
    let geometry = text.configuration.text
    if path == .fused {
      // What a block keeps: inputs of its norms, queries, keys, values, what tokens give to each other, and the MLP's inner
      // layer; and what one block needs while it works.
      let kept = 5 * geometry.width + geometry.mlpWidth + geometry.heads * (longest + context + 1)
      let working = 10 * geometry.width + 3 * geometry.mlpWidth
      return tokens * (geometry.layers * kept + working) * 4
    }
    // Two norms, queries, keys, values, attention, the MLP's two layers and the sums in between.
    let floatsPerToken = 10 * geometry.width + 4 * geometry.mlpWidth + 4 * geometry.heads * (longest + context + 1)
    return tokens * geometry.layers * floatsPerToken * 4
  }

  private func join(_ results: [Tensor], _ chunks: [Chunk], _ requests: [EncodingRequest]) throws -> [Tensor] {
    if chunks.count == requests.count { return results }
    var rows = [[Tensor]](repeating: [], count: requests.count)
    var part: [Tensor] = []
    for (result, chunk) in zip(results, chunks) {
      part.append(result)
      if chunk.classes.upperBound == vocabulary.classSets[chunk.classSet].count {
        rows[chunk.request].append(try Tensor.concatenated(part, axis: 1))
        part = []
      }
    }
    return try rows.map { try Tensor.concatenated($0, axis: 0) }
  }
}
