import BanyanCLIP
public import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTasks
import BanyanTensor
public import Foundation

/// What may be asked of the same pictures: which object it is, where it is, how near, where edges are, how bright.
///
/// Tasks that share their input and differ in kind; ``Task2Vec`` otherwise compares tasks that differ in both.
/// Paper: Achille et al., *Task2Vec: Task Embedding for Meta-Learning*, ICCV 2019, supplement 1.1 and figure 1.
public enum DenseKind: String, NamedChoice {
  /// The class of the picture.
  case label = "class"
  /// Whether a place belongs to the object, from `<name>-mask.png`.
  case mask
  /// How near a place is, from `<name>-depth.png`.
  case depth
  /// How steeply brightness changes at a place.
  case edges
  /// How bright a place is.
  case brightness

  /// Semantic, three-dimensional or two-dimensional, as the paper colours them.
  public var family: String {
    switch self {
    case .label, .mask: "semantic"
    case .depth: "3D"
    case .edges, .brightness: "2D"
    }
  }

  var needsMaps: Bool { self == .mask || self == .depth }
}

extension EmbeddingRun {
  /// How the pictures of a task are asked about more than their class.
  public struct Dense: Codable, Sendable, Equatable {
    /// What is asked.
    public var kinds: [DenseKind]
    /// Steps of Adam for a decoder.
    public var steps: Int

    /// Describes a measurement.
    public init(kinds: [DenseKind], steps: Int = 150) { (self.kinds, self.steps) = (kinds, steps) }
  }

  /// Embeds what is asked of the pictures of every task, one embedding for each task and kind, called `<task> <kind>`.
  ///
  /// - Parameters:
  ///   - dense: What is asked, and how decoders learn.
  ///   - maps: The folder of masks and depths that `banyan world --maps` writes; needed for those two.
  ///   - file: Where the record is kept after every embedding; what is there of the same request and pictures is not made again.
  ///   - overwrites: Whether a record of another request is replaced.
  ///   - progress: Called while it goes on.
  ///   - shouldStop: Asked before every batch.
  public func dense(
    _ dense: Dense, maps: URL?, file: URL? = nil, overwrites: Bool = false,
    progress: (ExperimentEvent) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> EmbeddingRecord {
    guard !dense.kinds.isEmpty, Set(dense.kinds).count == dense.kinds.count else {
      throw BanyanError(.usage, at: "--kinds", "expected one or more different kinds")
    }
    guard settings.estimator == .monteCarlo else {
      throw BanyanError(.usage, at: "--kinds", "decoders are embedded by Monte Carlo; leave --estimator out")
    }
    if maps == nil, let kind = dense.kinds.first(where: \.needsMaps) {
      throw BanyanError(
        .usage, at: "--kinds \(kind.rawValue)", "needs maps of the pictures",
        remedy: "Draw them with `banyan world --maps FOLDER` and name the folder with --maps.")
    }
    try settings.validate()
    var keeper = try EmbeddingKeeper(
      EmbeddingRecord(command: command, request: request(dense: dense)), file: file, overwrites: overwrites)
    let splits = try drawn()
    let total = splits.count * dense.kinds.count
    for (index, split) in splits.enumerated() {
      let pictures = split.train.map { FeatureExtractor.Picture(url: suite.url(of: $0), sha256: $0.sha256) }
      let source = PicturePixels(pictures, view: .centre, reader: probe.reader, device: .cpu)
      for (place, kind) in dense.kinds.enumerated() {
        let name = "\(split.task) \(kind.rawValue)"
        let files =
          kind.needsMaps
          ? maps.map { root in split.train.map { Self.map(of: suite.url(of: $0), below: suite.root, in: root, kind) } }
          : nil
        let digest = try ContentHash.sha256(
          ([Self.digest(split)] + (files ?? []).map { try ContentHash.sha256(file: $0) }).joined(separator: "\n"))
        try keeper.take(name, digest: digest) {
          progress(.phase("Embedding \(name), \(index * dense.kinds.count + place + 1) of \(total)"))
          return try DenseEmbedder(run: self, kind: kind, name: name, identity: digest, source: source).embed(
            split, classes: suite.task(named: split.task).classNames.count, files: files, steps: dense.steps,
            progress: progress, shouldStop: shouldStop)
        }
      }
    }
    return try keeper.finish()
  }

  private static func map(of picture: URL, below root: String, in maps: URL, _ kind: DenseKind) -> URL {
    let own = picture.standardizedFileURL.path
    let base = URL(fileURLWithPath: root).standardizedFileURL.path
    let relative = own.hasPrefix(base + "/") ? String(own.dropFirst(base.count + 1)) : picture.lastPathComponent
    let stem = (relative as NSString).deletingPathExtension
    return maps.appending(path: "\(stem)-\(kind.rawValue).png")
  }
}

/// One task and kind: learns the decoder, then measures what it asks of the probe.
private struct DenseEmbedder {
  let run: EmbeddingRun
  let kind: DenseKind
  let name: String
  let identity: String
  let source: PicturePixels

  /// Of how many pictures the scale of the map is taken.
  private static let scaled = 256
  /// Pictures of a step of the decoder.
  private static let stepRows = 16

  func embed(
    _ split: TaskSplit, classes: Int, files: [URL]?, steps: Int, progress: (ExperimentEvent) -> Void,
    shouldStop: () -> Bool
  ) throws -> TaskEmbedding {
    let (network, settings, labels) = (run.probe.network, run.settings, split.train.map(\.label))
    func stopping() throws {
      if shouldStop() { throw BanyanError(.interrupted, at: "embedding of \(name)", "stopped") }
    }
    func map(_ rows: [Int]) throws -> Tensor {
      try Engine.withoutGradients { try network.map(source.pixels(rows)) { _, _, output in output } }
    }
    var squares = (sum: 0.0, count: 0.0)
    var channels = 0
    var side = 0
    for start in stride(from: 0, to: min(labels.count, Self.scaled), by: settings.batchSize) {
      try stopping()
      let part = try map(Array(start..<min(start + settings.batchSize, labels.count)))
      (channels, side) = (part.extent(1), part.extent(2))
      squares.sum += try part.to(.float64).squared().sum().item()
      squares.count += Double(part.count)
    }
    let square = squares.sum / max(1, squares.count)
    let scale = square > 0 && square.isFinite ? 1 / square.squareRoot() : 1
    let targets = try DenseTargets(
      kind, labels: labels, classes: classes, mapSide: side, source: source, files: files, reader: run.probe.reader,
      stopping: stopping)
    var head = try DenseHead(targets.output, channels: channels, seed: run.seed, device: .cpu)
    var draws = BalancedDraws(labels: labels, seed: run.seed, label: "pictures of \(identity)")
    try head.learn(steps: steps, rate: settings.firstRate) { _ in
      try stopping()
      let rows = draws.next(Self.stepRows)
      return (try map(rows) * scale, try targets.rows(rows))
    }
    var generator = SeededGenerator(seed: run.seed, label: "labels of \(identity)")
    var sums: [(layer: FilterLayer, sums: [Double])] = []
    var done = 0
    while done < settings.draws {
      try stopping()
      let count = min(settings.batchSize, settings.draws - done)
      let pixels = try source.pixels(draws.next(count))
      let part = try FilterSquares.sums({ try head(network.map(pixels, tap: $0) * scale).logits }) {
        try head.drawnCotangent($0, generator: &generator)
      }
      sums = sums.isEmpty ? part : zip(sums, part).map { ($0.layer, zip($0.sums, $1.sums).map(+)) }
      done += count
      progress(.counted(done: done, total: settings.draws))
    }
    // Layers that the map does not pass are no part of the embedding.
    var layers: [TaskEmbedding.Layer] = []
    var fisher: [Double] = []
    for (layer, sum) in sums {
      let own = sum.map { $0 / Double(settings.draws) }
      let meanSquare = try layer.weight.to(.float64).squared().mean().item()
      layers.append(
        .init(
          name: layer.name, filters: layer.filters,
          prior: FisherPrior.precision(own, meanSquare: meanSquare, beta: settings.beta)))
      fisher += own
    }
    return try TaskEmbedding(
      task: name, probe: run.probe.name, estimator: "\(settings.description), decoder", samples: labels.count,
      layers: layers, fisher: fisher)
  }
}

/// What a decoder is to say of each picture, at its own resolution.
private struct DenseTargets {
  let output: DenseHead.Output
  /// For each picture its places, row by row; empty for labels.
  private let values: [[Float]]
  private let labels: [Int]

  init(
    _ kind: DenseKind, labels: [Int], classes: Int, mapSide: Int, source: PicturePixels, files: [URL]?,
    reader: PictureReader, stopping: () throws -> Void
  ) throws {
    self.labels = labels
    guard kind != .label else {
      (output, values) = (.labels(classes), [])
      return
    }
    let (width, height) = (reader.preprocessor.outputWidth, reader.preprocessor.outputHeight)
    let places = DenseHead.growth * mapSide
    guard width == height, width % places == 0 else {
      throw BanyanError(
        .usage, at: "--kinds \(kind.rawValue)",
        "a decoder gives \(places) places a side, which do not divide pictures of \(width) × \(height)")
    }
    let planes = try labels.indices.map { row -> [Float] in
      try stopping()
      let plane: [Float]
      if let files {
        plane = try Self.firstPlane(reader.preprocessor, ImageDecoder.decode(contentsOf: files[row]))
      } else {
        let pixels = try source.pixels([row]).mean([1]).floats()
        plane = kind == .brightness ? pixels : Self.slopes(pixels, width: width)
      }
      return Self.pooled(plane, width: width, to: places)
    }
    output = kind == .mask ? .places(2) : .numbers
    values = kind == .mask ? planes : Self.standardised(planes)
  }

  /// The first plane as it was before it was normalised, 0 to 1.
  private static func firstPlane(_ preprocessor: ImagePreprocessor, _ image: PixelImage) -> [Float] {
    let planes = preprocessor(image)
    let (mean, deviation) = (preprocessor.mean?[0] ?? 0, preprocessor.standardDeviation?[0] ?? 1)
    return planes.prefix(planes.count / 3).map { Float(Double($0) * deviation + mean) }
  }

  /// The length of the differences to the right and downwards.
  private static func slopes(_ pixels: [Float], width: Int) -> [Float] {
    let height = pixels.count / max(1, width)
    return pixels.indices.map { index in
      let (x, y) = (index % width, index / width)
      let right = x + 1 < width ? pixels[index + 1] - pixels[index] : 0
      let down = y + 1 < height ? pixels[index + width] - pixels[index] : 0
      return (right * right + down * down).squareRoot()
    }
  }

  /// Means of square windows, so that `places` are left a side.
  private static func pooled(_ plane: [Float], width: Int, to places: Int) -> [Float] {
    let step = width / places
    return (0..<places * places).map { index in
      let (x, y) = (index % places * step, index / places * step)
      var sum: Float = 0
      for row in y..<y + step { for column in x..<x + step { sum += plane[row * width + column] } }
      return sum / Float(step * step)
    }
  }

  private static func standardised(_ planes: [[Float]]) -> [[Float]] {
    let all = planes.joined()
    let count = Double(max(1, all.count))
    let mean = all.reduce(0.0) { $0 + Double($1) } / count
    let variance = all.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
    let scale = variance > 0 ? 1 / variance.squareRoot() : 1
    return planes.map { $0.map { Float((Double($0) - mean) * scale) } }
  }

  /// [rows] of labels, or [rows, places] of classes or numbers.
  func rows(_ rows: [Int]) throws -> Tensor {
    switch output {
    case .labels: return try .indices(rows.map { labels[$0] })
    case .places:
      let found = rows.flatMap { values[$0].map { $0 > 0.5 ? 1 : 0 } }
      return try Tensor.indices(found).reshaped([rows.count, found.count / max(1, rows.count)])
    case .numbers:
      let found = rows.flatMap { values[$0] }
      return try Tensor(found, shape: [rows.count, found.count / max(1, rows.count)])
    }
  }
}
