import ArgumentParser
import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import Foundation

/// Times the text paths and the image tower on random weights of a published geometry.
///
/// Both sides of a ratio run in turn, A B A B …, and each pair gives one ratio, so that a machine whose speed drifts does
/// not decide.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "banyan-bench", abstract: "Times one text-prompt step on both encoding paths, and the image tower.")

  @Option(help: "Patch size of the image tower: 16 or 32.") var patch = 16
  @Option(help: "Class names of the text step.") var classes = 65
  @Option(help: "Context vectors.") var context = 16
  @Option(help: "Timed pairs after one warm-up.") var pairs = 5
  @Option(help: "Threads of one op.") var threads: Int?
  @Flag(help: "Write JSON.") var json = false

  private struct Report: Encodable {
    var engine: String
    var threads: Int
    var geometry: String
    var classes: Int
    var plainSeconds: [Double]
    var sharedPrefixSeconds: [Double]
    var ratioMedian: Double
    var largestGradientDifference: Double
    var imagesPerSecond: [Double]
  }

  func run() throws {
    if let threads { try Engine.setThreads(threads) }
    let configuration = geometry()
    let model = try RandomCLIP.model(configuration, seed: 1)
    var generator = SeededGenerator(seed: 2, label: "bench")
    let names = (0..<classes).map { index in
      ClassTokens(
        name: (0...(index % 3)).map { Int32(320 + 7 * index + $0) }, closing: [269], start: 49406, end: 49407)
    }
    let start = try Tensor.normal([1, context, configuration.text.width], deviation: 0.02, generator: &generator)
    let cotangent = try Tensor.normal([1, classes, configuration.projectionWidth], generator: &generator)
    func step(_ path: TextTower.EncodingPath) throws -> (seconds: Double, gradient: Tensor) {
      let leaf = try start.asParameter()
      let begin = Date()
      let features = try model.text.features(names, injection: PromptInjection(layers: [0: leaf]), path: path)
      let gradient = try Gradients.of([features.normalized()], cotangents: [cotangent], with: [leaf])[0]
      return (Date().timeIntervalSince(begin), gradient)
    }
    var plain: [Double] = []
    var shared: [Double] = []
    var difference = 0.0
    for pair in 0...pairs {
      let (a, b) = (try step(.plain), try step(.sharedPrefix))
      difference = max(difference, try a.gradient.largestDifference(from: b.gradient))
      if pair > 0 {
        plain.append(a.seconds)
        shared.append(b.seconds)
      }
    }
    let side = configuration.imageSize
    let pixels = try Tensor.normal([16, 3, side, side], generator: &generator)
    let rates = try (0...pairs).map { _ in
      let begin = Date()
      _ = try Engine.withoutGradients { try model.image.features(pixels) }
      return 16 / Date().timeIntervalSince(begin)
    }
    let report = Report(
      engine: Engine.version, threads: Engine.threads, geometry: configuration.summary, classes: classes,
      plainSeconds: plain, sharedPrefixSeconds: shared, ratioMedian: median(zip(plain, shared).map { $0 / $1 }),
      largestGradientDifference: difference, imagesPerSecond: Array(rates.dropFirst()))
    try show(report)
  }

  private func show(_ report: Report) throws {
    if json {
      print(String(decoding: try JSONDocument.data(report, subject: "report"), as: UTF8.self), terminator: "")
      return
    }
    func text(_ value: Double) -> String { String(format: "%.3f", value) }
    print("\(report.engine), \(report.threads) threads; \(report.geometry)")
    print("text-prompt step, \(classes) classes, \(context) context vectors (forward and backward, seconds):")
    print("  plain          median \(text(median(report.plainSeconds)))")
    print("  shared prefix  median \(text(median(report.sharedPrefixSeconds)))")
    print(
      "  ratio          median \(text(report.ratioMedian)) over \(pairs) pairs, "
        + "largest difference of gradients \(report.largestGradientDifference)")
    print("image tower, batch 16: median \(text(median(report.imagesPerSecond))) pictures per second")
  }

  private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  private func geometry() -> CLIPConfiguration {
    CLIPConfiguration(
      text: .init(width: 512, layers: 12, heads: 8, mlpWidth: 2048, activation: .quickGELU, epsilon: 1e-5),
      vocabularySize: 49408, contextLength: 77,
      image: .init(width: 768, layers: 12, heads: 12, mlpWidth: 3072, activation: .quickGELU, epsilon: 1e-5),
      imageSize: 224, patchSize: patch, projectionWidth: 512)
  }
}

/// A CLIP of random weights, for timing alone.
enum RandomCLIP {
  static func model(_ configuration: CLIPConfiguration, seed: UInt64) throws -> CLIPModel {
    let generator = try EngineGenerator(seed: seed)
    var tree = ParameterTree()
    for (path, shape) in CLIPParameters.shapes(configuration).sorted(by: { $0.key < $1.key }) {
      let isNorm = path.contains("orm") && path.hasSuffix("weight")
      tree[path] = try isNorm ? .full(shape, 1) : generator.normal(shape).affine(scale: 0.02)
    }
    return try CLIPModel(configuration, parameters: tree)
  }
}
