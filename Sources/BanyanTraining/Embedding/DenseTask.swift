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
}

extension EmbeddingRun {
  /// Embeds what `kinds` ask of the pictures of every task, one embedding for each task and kind, called `<task> <kind>`.
  ///
  /// - Parameters:
  ///   - kinds: What is asked.
  ///   - maps: The folder of masks and depths that `banyan world --maps` writes; needed for those two.
  ///   - steps: Steps of Adam for a decoder.
  ///   - file: Where the record is kept after every embedding; a record there of the same request and pictures is gone on from.
  ///   - overwrites: Whether a record of another request is replaced.
  ///   - progress: Called while it goes on.
  ///   - shouldStop: Asked before every batch.
  public func dense(
    _ kinds: [DenseKind], maps: URL?, steps: Int = 150, file: URL? = nil, overwrites: Bool = false,
    progress: (ExperimentEvent) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> EmbeddingRecord {
    guard !kinds.isEmpty, Set(kinds).count == kinds.count else {
      throw BanyanError(.usage, at: "--kinds", "expected one or more different kinds")
    }
    guard settings.estimator == .monteCarlo else {
      throw BanyanError(.usage, at: "--kinds", "decoders are embedded by Monte Carlo; leave --estimator out")
    }
    try settings.validate()
    let request = request(kinds: kinds)
    let earlier = try file.flatMap { try known($0, request, overwrites: overwrites) }
    var record = EmbeddingRecord(command: command, request: request)
    let splits = try drawn()
    for (index, split) in splits.enumerated() {
      let task = try suite.task(named: split.task)
      let pictures = split.train.map { FeatureExtractor.Picture(url: suite.url(of: $0), sha256: $0.sha256) }
      let source = PicturePixels(pictures, view: .centre, reader: probe.reader, device: .cpu)
      let digest = Self.digest(split)
      for (place, kind) in kinds.enumerated() {
        let name = "\(split.task) \(kind.rawValue)"
        if let earlier,
          let known = earlier.embeddings.indices.first(where: {
            earlier.embeddings[$0].task == name && earlier.digests[$0] == digest
          })
        {
          record.embeddings.append(earlier.embeddings[known])
          record.digests.append(digest)
          continue
        }
        progress(.phase("Embedding \(split.task) \(kind.rawValue), \(index * kinds.count + place + 1) of \(splits.count * kinds.count)"))
        let targets = try DenseTargets(
          kind, labels: split.train.map(\.label), classes: task.classNames.count, pictures: pictures, source: source,
          maps: maps.map { root in split.train.map { Self.map(of: suite.url(of: $0), below: suite.root, in: root, kind) } },
          reader: probe.reader)
        record.embeddings.append(
          try embed(
            name, targets, source: source, labels: split.train.map(\.label), steps: steps, progress: progress,
            shouldStop: shouldStop))
        record.digests.append(digest)
        if let file { try JSONDocument.write(record, to: file) }
      }
    }
    if let file { try JSONDocument.write(record, to: file) }
    return record
  }

  private static func map(of picture: URL, below root: String, in maps: URL, _ kind: DenseKind) -> URL {
    let own = picture.standardizedFileURL.path
    let base = URL(fileURLWithPath: root).standardizedFileURL.path
    let relative = own.hasPrefix(base + "/") ? String(own.dropFirst(base.count + 1)) : picture.lastPathComponent
    let stem = (relative as NSString).deletingPathExtension
    return maps.appending(path: "\(stem)-\(kind.rawValue).png")
  }

  private func embed(
    _ name: String, _ targets: DenseTargets, source: PicturePixels, labels: [Int], steps: Int,
    progress: (ExperimentEvent) -> Void, shouldStop: () -> Bool
  ) throws -> TaskEmbedding {
    func stopping() throws {
      if shouldStop() { throw BanyanError(.interrupted, at: "embedding of \(name)", "stopped") }
    }
    let network = probe.network
    let maps = try Engine.withoutGradients {
      try Tensor.concatenated(
        stride(from: 0, to: labels.count, by: settings.batchSize).map { start in
          try stopping()
          let rows = Array(start..<min(start + settings.batchSize, labels.count))
          return try network.map(source.pixels(rows)) { _, _, output in output }
        }, axis: 0)
    }
    let square = try maps.to(.float64).squared().mean().item()
    let scale = square > 0 && square.isFinite ? 1 / square.squareRoot() : 1
    var head = try DenseHead(targets.output, channels: maps.extent(1), seed: seed, device: maps.device)
    let outputSide = try targets.outputSide(of: maps.extent(2))
    var draws = BalancedDraws(labels: labels, seed: seed, label: "pictures of \(name)")
    try head.learn(steps: steps, rate: settings.firstRate) { _ in
      try stopping()
      let rows = draws.next(16)
      return (try maps.gathered(0, .indices(rows)) * scale, try targets.rows(rows, side: outputSide))
    }
    var generator = SeededGenerator(seed: seed, label: "labels of \(name)")
    var sums = network.filterLayers.map { [Double](repeating: 0, count: $0.filters) }
    var done = 0
    while done < settings.draws {
      try stopping()
      let count = min(settings.batchSize, settings.draws - done)
      var seen: [(layer: FilterLayer, input: Tensor, output: Tensor)] = []
      let map = try network.map(source.pixels(draws.next(count))) { layer, input, output in
        let output = seen.isEmpty ? try output.asParameter() : output
        seen.append((layer, input, output))
        return output
      }
      let logits = try head(map * scale).logits
      let cotangent = try head.drawnCotangent(logits, generator: &generator)
      let gradients = try Gradients.of([logits], cotangents: [cotangent], with: seen.map(\.output))
      try Engine.withoutGradients {
        for (place, (own, gradient)) in zip(seen, gradients).enumerated() {
          let part = try FilterSquares.perPicture(own.layer, input: own.input, cotangent: gradient).sum([0]).doubles()
          sums[place] = zip(sums[place], part).map { $0 + max(0, $1) }
        }
      }
      done += count
      progress(.counted(done: done, total: settings.draws))
    }
    var layers: [TaskEmbedding.Layer] = []
    var fisher: [Double] = []
    for (layer, sum) in zip(network.filterLayers, sums) {
      let own = sum.map { $0 / Double(settings.draws) }
      let meanSquare = try layer.weight.to(.float64).squared().mean().item()
      layers.append(
        .init(
          name: layer.name, filters: layer.filters,
          prior: FisherPrior.precision(own, meanSquare: meanSquare, beta: settings.beta)))
      fisher += own
    }
    return try TaskEmbedding(
      task: name, probe: probe.name, estimator: "monte-carlo, decoder", samples: labels.count, layers: layers,
      fisher: fisher)
  }
}

/// What a decoder is to say of each picture.
private struct DenseTargets {
  let output: DenseHead.Output
  private let values: [[Float]]
  private let side: Int
  private let labels: [Int]

  init(
    _ kind: DenseKind, labels: [Int], classes: Int, pictures: [FeatureExtractor.Picture], source: PicturePixels,
    maps: [URL]?, reader: PictureReader
  ) throws {
    self.labels = labels
    let width = reader.preprocessor.outputWidth
    switch kind {
    case .label:
      (output, values, side) = (.labels(classes), [], 0)
    case .mask, .depth:
      guard let maps else {
        throw BanyanError(
          .usage, at: "--kinds \(kind.rawValue)", "needs maps of the pictures",
          remedy: "Draw them with `banyan world --maps FOLDER` and name the folder with --maps.")
      }
      let planes = try maps.map { url in try Self.firstPlane(reader.preprocessor, ImageDecoder.decode(contentsOf: url)) }
      side = width
      if kind == .mask {
        (output, values) = (.places(2), planes)
      } else {
        (output, values) = (.numbers, Self.standardised(planes))
      }
    case .edges, .brightness:
      side = width
      output = .numbers
      let planes = try pictures.indices.map { row -> [Float] in
        let pixels = try source.pixels([row]).mean([1]).floats()
        return kind == .brightness ? pixels : Self.slopes(pixels, width: width)
      }
      values = Self.standardised(planes)
    }
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

  private static func standardised(_ planes: [[Float]]) -> [[Float]] {
    let all = planes.joined()
    let count = Double(max(1, all.count))
    let mean = all.reduce(0.0) { $0 + Double($1) } / count
    let variance = all.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
    let scale = variance > 0 ? 1 / variance.squareRoot() : 1
    return planes.map { $0.map { Float((Double($0) - mean) * scale) } }
  }

  /// How many places a side the decoder gives for a map of `mapSide`.
  ///
  /// - Throws: A `BanyanError` where the pictures' side is no multiple of it.
  func outputSide(of mapSide: Int) throws -> Int {
    if case .labels = output { return 0 }
    let places = DenseHead.growth * mapSide
    guard side % places == 0 else {
      throw BanyanError(
        .usage, at: "--kinds", "a decoder gives \(places) places a side, which do not divide \(side) pixels")
    }
    return places
  }

  /// [rows] of labels, or [rows, places] at the decoder's resolution.
  func rows(_ rows: [Int], side outputSide: Int) throws -> Tensor {
    if case .labels = output { return try .indices(rows.map { labels[$0] }) }
    let places = outputSide * outputSide
    let step = side / max(1, outputSide)
    var found = [Float](repeating: 0, count: rows.count * places)
    for (number, row) in rows.enumerated() {
      for y in 0..<outputSide {
        for x in 0..<outputSide {
          var sum: Float = 0
          for dy in 0..<step { for dx in 0..<step { sum += values[row][(y * step + dy) * side + x * step + dx] } }
          found[number * places + y * outputSide + x] = sum / Float(step * step)
        }
      }
    }
    if case .places = output {
      return try Tensor.indices(found.map { $0 > 0.5 ? 1 : 0 }).reshaped([rows.count, places])
    }
    return try Tensor(found, shape: [rows.count, places])
  }
}
