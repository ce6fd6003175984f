import BanyanCLIP
import BanyanTensor
import BanyanTestSupport
import Testing

#if os(Linux)
  /// How many operations the towers do, against what the geometry says that is needed.
  ///
  /// Counts are the process's, hence one of its own for each of these tests.
  @Suite struct WorkTests {
    /// Operations of one tower's blocks, by the token.
    private struct Needs {
      var width, mlp: Int

      /// Queries, keys, values, the output and the MLP; and parts of them.
      var all: Int { 2 * (4 * width * width + 2 * width * mlp) }
      var keysAndValues: Int { 4 * width * width }
      var behindAttention: Int { 2 * (width * width + 2 * width * mlp) }
      var queries: Int { 2 * width * width }
      /// Scores, and the sum of values by them, of one token that sees one other.
      var sight: Int { 4 * width }
    }

    private static func operations(_ body: () throws -> Void) rethrows -> Int {
      let before = Engine.operations
      try body()
      return Engine.operations - before
    }

    @Test func theLastBlockOfPicturesIsTheClassTokensAlone() async {
      await #expect(processExitsWith: .success) {
        let tower = try TinyCLIP().model.image
        let (shape, pictures) = (tower.configuration, 3)
        let (needs, tokens) = (Needs(width: shape.image.width, mlp: shape.image.mlpWidth), shape.patchCount + 1)
        let pixels = try Tensor.zeros([pictures, 3, shape.imageSize, shape.imageSize])
        let found = try Self.operations { _ = try Engine.withoutGradients { try tower.features(pixels) } }
        let patches = 2 * shape.patchCount * shape.image.width * 3 * shape.patchSize * shape.patchSize
        let whole = tokens * (needs.all + needs.sight * tokens)
        let last = tokens * (needs.keysAndValues + needs.sight) + needs.queries + needs.behindAttention
        let projection = 2 * shape.image.width * shape.projectionWidth
        #expect(found == pictures * (patches + (shape.image.layers - 1) * whole + last + projection))
        // The twin does every block whole.
        let plain = try Self.operations {
          _ = try Engine.withoutGradients { try tower.features(pixels, path: .plain) }
        }
        #expect(plain == pictures * (patches + shape.image.layers * whole + projection))
      }
    }

    @Test func promptsThatAreReplacedGiveKeysAndValuesAlone() async {
      await #expect(processExitsWith: .success) {
        let tower = try TinyCLIP().model.image
        let (shape, pictures, prompts) = (tower.configuration, 3, 4)
        let (needs, tokens) = (Needs(width: shape.image.width, mlp: shape.image.mlpWidth), shape.patchCount + 1)
        let pixels = try Tensor.zeros([pictures, 3, shape.imageSize, shape.imageSize])
        let leaves = try (0..<shape.image.layers).map { _ in
          try Tensor.full([1, prompts, shape.image.width], 0.1).asParameter()
        }
        let injection = PromptInjection(layers: Dictionary(uniqueKeysWithValues: leaves.enumerated().map { ($0, $1) }))
        var features: Tensor?
        let forward = try Self.operations { features = try tower.features(pixels, injection: injection) }
        let patches = 2 * shape.patchCount * shape.image.width * 3 * shape.patchSize * shape.patchSize
        let (seen, middle) = (tokens + prompts, shape.image.layers - 1)
        // Prompts' keys and values are all pictures' at once.
        let shared = shape.image.layers * prompts * needs.keysAndValues
        let whole = tokens * (needs.all + needs.sight * seen)
        let last = tokens * needs.keysAndValues + needs.sight * seen + needs.queries + needs.behindAttention
        let projection = 2 * shape.image.width * shape.projectionWidth
        #expect(forward == shared + pictures * (patches + middle * whole + last + projection))
        // Backward the same products but the patches', attention's two and a half times, and none to the first block's pixels.
        let given = try #require(features)
        let backward = try Self.operations {
          _ = try Gradients.of([given], cotangents: [.full(given.shape, 1)], with: leaves)
        }
        let sight = needs.sight * seen * (middle * tokens + 1) * 5 / 2
        let first = tokens * needs.behindAttention
        let between = (middle - 1) * tokens * needs.all
        let end = tokens * needs.keysAndValues + needs.queries + needs.behindAttention
        #expect(backward == shared + pictures * (sight + first + between + end))
      }
    }

    @Test func textsShareTheirPrefixAndEndAtTheEndTokenForwardAndBackward() async {
      await #expect(processExitsWith: .success) {
        let clip = try TinyCLIP()
        let (tower, shape, context, prompts) = (clip.model.text, clip.model.configuration, 4, 3)
        let needs = Needs(width: shape.text.width, mlp: shape.text.mlpWidth)
        let names = clip.names(["cat", "red fox", "dog", "wooden chair"])
        let leaf = try Tensor.full([prompts, context, shape.text.width], 0.1).asParameter()
        let injection = PromptInjection(layers: [0: leaf])
        var features: Tensor?
        let found = try Self.operations {
          features = try Engine.withGradients { try tower.features(names, injection: injection) }
        }
        let prefix = 1 + context
        let lengths = names.map { $0.name.count + $0.closing.count + 1 }
        let tokens = prefix + lengths.reduce(0, +)
        // A token sees the prefix as far as it goes, and its own name so far.
        let own = lengths.map { length in (1...length).reduce(0) { $0 + prefix + $1 } }.reduce(0, +)
        let sights = prefix * (prefix + 1) / 2 + own
        let whole = tokens * needs.all + needs.sight * sights
        let (end, endSights) = (
          tokens * needs.keysAndValues + names.count * (needs.queries + needs.behindAttention),
          lengths.reduce(0) { $0 + prefix + $1 }
        )
        let projection = 2 * names.count * shape.text.width * shape.projectionWidth
        let middle = shape.text.layers - 1
        #expect(found == prompts * (middle * whole + end + needs.sight * endSights + projection))
        // Backward the same products, and attention's twice: what a token gives to another is kept.
        let given = try #require(features)
        let backward = try Self.operations {
          _ = try Gradients.of([given], cotangents: [.full(given.shape, 1)], with: [leaf])
        }
        #expect(
          backward == prompts * (middle * tokens * needs.all + end + 2 * needs.sight * (middle * sights + endSights)))
      }
    }
  }
#endif
