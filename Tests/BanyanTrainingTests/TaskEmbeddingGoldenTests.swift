import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Testing

@Suite struct TaskEmbeddingGoldenTests {
  /// The numbers that the golden's script makes from an index.
  private func hashed(_ count: Int, _ stream: Int) -> [Double] {
    (0..<count).map { index in
      let mixed = (UInt64(index) &* 40503 &+ UInt64(stream) &* 7919 &+ 1) &* 2_654_435_761
      return Double(mixed % (1 << 32)) / Double(1 << 32) - 0.5
    }
  }

  @Test func `the residual network is torchvision's ResNet-34`() throws {
    let golden = try Golden("task2vec/resnet34")
    let layout = try Golden.json("task2vec/resnet34")
    let names = layout["names"]?.arrayValue?.compactMap(\.stringValue) ?? []
    let shapes = layout["shapes"]?.arrayValue?.map { $0.arrayValue?.compactMap(\.intValue) ?? [] } ?? []
    var tree = ParameterTree()
    for (stream, (name, shape)) in zip(names, shapes).enumerated() {
      var values = hashed(shape.reduce(1, *), stream)
      if shape.count == 4 {
        let scale = (24 / Double(shape[1] * shape[2] * shape[3])).squareRoot()
        values = values.map { $0 * scale }
      } else {
        values = values.map { name.hasSuffix("running_var") || name.hasSuffix("weight") ? 1 + $0 : 0.2 * $0 }
      }
      tree[name] = try Tensor(values.map(Float.init), shape: shape)
    }
    let network = try ResidualNetwork(tree)
    let pixels = try Tensor(hashed(2 * 3 * 64 * 64, 999).map { Float($0 * 4) }, shape: [2, 3, 64, 64])
    var seen: [String] = []
    let features = try network.features(pixels) { layer, _, output in
      seen.append(layer.name)
      return output
    }
    try agree(features, golden("features"), "features", within: .at(.tower))
    #expect(features.shape == [2, network.featureWidth] && network.featureWidth == 512)
    #expect(seen == network.filterLayers.map(\.name))
    // A stem, 32 convolutions in blocks and three shortcuts.
    #expect(seen.count == 36 && network.filterLayers.reduce(0) { $0 + $1.filters } == 8512)

    var damaged = tree
    damaged["layer2.0.conv1.weight"] = try .zeros([128, 64, 5, 5])
    #expect(throws: BanyanError.self) { try ResidualNetwork(damaged) }
    var surplus = tree
    surplus["layer1.0.conv3.weight"] = try .zeros([256, 64, 1, 1])
    #expect(throws: BanyanError.self) { try ResidualNetwork(surplus) }
  }

  @Test func `the information of a tower's filters is that of autograd, picture by picture`() throws {
    let golden = try Golden("task2vec/information")
    let tower = try TinyCLIP().model.image
    let pixels = try golden("pixels")
    let plain = try tower.features(pixels) { _, _, output in output }
    try agree(plain, golden("features"), "features", within: .at(.tower))
    let head = ProbeHead(scale: 4, weight: try golden("head"), bias: try golden("bias"))
    let labels = try golden("labels").integers().map(Int.init)
    let sums = try MonteCarloFisher(network: tower, head: head).sums(pixels) { _, _ in
      labels.map { .init(label: $0, weight: 1) }
    }
    #expect(tower.filterLayers.count == sums.count)
    for (layer, sum) in zip(tower.filterLayers, sums) {
      // Filter by filter: distances weigh each by its own size.
      for (filter, (found, expected)) in try zip(sum, golden("sum.\(layer.name)").doubles()).enumerated() {
        #expect(abs(found - expected) < 2e-3 * expected + 1e-9, "\(layer.name) \(filter): \(found), \(expected)")
      }
    }
  }

  @Test func `Model2Vec takes the steps of torch's Adam`() throws {
    let golden = try Golden.json("task2vec/model2vec")
    func matrix(_ key: String) -> [[Double]] {
      golden[key]?.arrayValue?.map { $0.arrayValue?.compactMap(\.doubleValue) ?? [] } ?? []
    }
    func list(_ key: String) -> [Double] { golden[key]?.arrayValue?.compactMap(\.doubleValue) ?? [] }
    func embeddings(_ key: String, priors: [Double]) throws -> [TaskEmbedding] {
      try zip(matrix(key), priors).enumerated().map { index, pair in
        try TaskEmbedding(
          task: "\(key) \(index)", probe: "p", estimator: "e", samples: 1,
          layers: [.init(name: "layer", filters: pair.0.count, prior: pair.1)], fisher: pair.0.map { $0 - pair.1 })
      }
    }
    // Precisions are what the golden was made of; information is what lies above the prior.
    let smallest = 1e-9
    let tasks = try embeddings("tasks", priors: matrix("tasks").map { _ in smallest })
    let priors = list("priors")
    let models = try zip(matrix("models"), priors).enumerated().map { index, pair in
      try #require(pair.0.allSatisfy { $0 >= pair.1 })
      return try TaskEmbedding(
        task: "model \(index)", probe: "p", estimator: "e", samples: 1,
        layers: [.init(name: "layer", filters: pair.0.count, prior: pair.1)], fisher: pair.0.map { $0 - pair.1 })
    }
    for (task, row) in zip(tasks, matrix("distances")) {
      try agree(models.map { try task.distance(to: $0) }, row, "distances", within: Tolerance(1e-8))
    }
    let errors = matrix("errors").map { $0.map(Optional.init) }
    for (row, expected) in zip(matrix("errors"), matrix("soft")) {
      try agree(Model2Vec.softLabels(row, sharpness: 20), expected, "soft labels", within: Tolerance(1e-12))
    }
    let learner = try Model2Vec(tasks: tasks, models: models)
    let learned = try learner.fit(errors: errors)
    try agree(learned.losses, list("losses"), "losses", within: Tolerance(1e-6))
    try agree(learned.offsets.doubles(), matrix("offsets").flatMap { $0 }, "offsets", within: Tolerance(1e-5))
    #expect(abs(try learned.logGamma.item() - (golden["logGamma"]?.doubleValue ?? 0)) < 1e-5)
    for (task, row) in zip(tasks, matrix("probabilities")) {
      try agree(learner.probabilities(learned, for: task), row, "probabilities", within: Tolerance(1e-5))
    }
    #expect((learned.losses.last ?? 0) < (learned.losses.first ?? 0))
  }

  @Test func `leaving a task out asks nothing of its own errors`() throws {
    // Two kinds of tasks, a model of each kind: from the others of its kind a task knows its model.
    var generator = SeededGenerator(seed: 3, label: "kinds")
    let kinds = (0..<2).map { _ in (0..<20).map { _ in generator.uniform() * 4 + 0.1 } }
    func near(_ kind: Int, _ name: String) throws -> TaskEmbedding {
      try TaskEmbedding(
        task: name, probe: "p", estimator: "e", samples: 1, layers: [.init(name: "layer", filters: 20, prior: 0.01)],
        fisher: kinds[kind].map { $0 * (0.8 + 0.4 * generator.uniform()) })
    }
    let tasks = try (0..<8).map { try near($0 % 2, "task \($0)") }
    let models = try (0..<2).map { try near($0, "model \($0)") }
    var errors: [[Double?]] = (0..<8).map { $0 % 2 == 0 ? [0.1, 0.4] : [0.5, 0.2] }
    let learner = try Model2Vec(tasks: tasks, models: models)
    #expect(try learner.leaveOneOut(errors: errors, embeddings: tasks) == (0..<8).map { $0 % 2 })
    // What is wrong of one task changes nothing of what is learned without it.
    let others = Array(1..<8)
    let before = try learner.probabilities(learner.fit(errors: errors, rows: others), for: tasks[0])
    let whole = try learner.probabilities(learner.fit(errors: errors), for: tasks[0])
    errors[0] = [0.9, 0.1]
    #expect(try learner.probabilities(learner.fit(errors: errors, rows: others), for: tasks[0]) == before)
    #expect(try learner.probabilities(learner.fit(errors: errors), for: tasks[0]) != whole)
    #expect(try learner.leaveOneOut(errors: errors, embeddings: tasks)[0] == 0)
    // A model that is not asked is not chosen.
    errors[2] = [nil, 0.4]
    #expect(try learner.leaveOneOut(errors: errors, embeddings: tasks)[2] == 1)
    #expect(throws: BanyanError.self) { try learner.fit(errors: [[0.1, 0.2]]) }
    errors[3] = [nil, nil]
    #expect(throws: BanyanError.self) { try learner.fit(errors: errors) }
  }

  @Test(arguments: [(ToyTaskSpace.Probe.polynomials, 0.55), (.randomFeatures, 0.40)])
  func `in the toy space the norm grows with complexity`(probe: ToyTaskSpace.Probe, least: Double) throws {
    let space = try ToyTaskSpace()
    #expect(space.tasks.count == 64 && Set(space.tasks.map(\.clusters)) == Set(3...16))
    #expect(space.tasks.allSatisfy { Set($0.labels) == [0, 1] })
    let embeddings = try space.embeddings(probe)
    let found = RankCorrelation.spearman(embeddings.map(\.norm), space.tasks.map { Double($0.clusters) })
    #expect(try #require(found) >= least)
    #expect(try ToyTaskSpace().tasks == space.tasks)
    // In the plane a task's nearest neighbour is nearly as complex as it is itself.
    let map = try space.map(probe)
    func gap(_ pick: (Int) -> Int) -> Double {
      space.tasks.indices.reduce(0) { $0 + Double(abs(space.tasks[$1].clusters - space.tasks[pick($1)].clusters)) / 64 }
    }
    let nearest = gap { own in
      map.places.indices.filter { $0 != own }.min { a, b in
        func far(_ other: Int) -> Double {
          let (x, y) = (map.places[own].x - map.places[other].x, map.places[own].y - map.places[other].y)
          return x * x + y * y
        }
        return far(a) < far(b)
      } ?? own
    }
    #expect(nearest < 0.8 * gap { ($0 + 7) % 64 })
    #expect(map.icons?.count == 64 && map.note?.contains("0.") == true)
  }
}
