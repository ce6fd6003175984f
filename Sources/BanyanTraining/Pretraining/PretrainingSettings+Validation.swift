import BanyanFoundation
import BanyanTensor
import Foundation

extension PretrainingSettings {
  /// Checks everything that can be checked without reading data.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the key, or `unavailable` for the device.
  public func validate() throws {
    guard !data.isEmpty else {
      throw BanyanError(
        .usage, at: "--data", "no pictures were given",
        remedy: "Give a CSV with the columns path and caption, or a folder of pictures with captions, to --data.")
    }
    try within("batchSize", batchSize, 2...1 << 20)
    try within("validationShare", validationShare, 0...0.9)
    try within("patchDropping", patchDropping, 0...0.9)
    try within("saveEvery", saveEvery, 1...1 << 30)
    if let threads { try within("threads", threads, 1...1024) }
    try checkGeometry()
    try checkPhases()
    try within("augmentation.minimumScale", augmentation.minimumScale, 0.01...1)
    try within("augmentation.maximumRatio", augmentation.maximumRatio, 1...10)
    try within("augmentation.flipProbability", augmentation.flipProbability, 0...1)
    try within("validation.every", validation.every, 0...1 << 30)
    try within("validation.pictures", validation.pictures, 1...100_000)
    for template in validation.templates where template.components(separatedBy: "{}").count != 2 {
      throw BanyanError(.usage, at: "validation.templates: \"\(template)\"", "expected {} exactly once")
    }
    guard !validation.templates.isEmpty else {
      throw BanyanError(.usage, at: "validation.templates", "expected at least one sentence, found none")
    }
    try device.checked()
  }

  private func checkGeometry() throws {
    try within("geometry.patchSize", geometry.patchSize, 1...1024)
    try within("geometry.imageSize", geometry.imageSize, geometry.patchSize...8192)
    guard geometry.imageSize % geometry.patchSize == 0 else {
      throw BanyanError(
        .usage, at: "geometry.imageSize",
        "expected a multiple of the patch size \(geometry.patchSize), "
          + "found \(geometry.imageSize)")
    }
    for (name, tower) in [("image", geometry.image), ("text", geometry.text)] {
      try within("geometry.\(name).width", tower.width, 1...16384)
      try within("geometry.\(name).layers", tower.layers, 1...256)
      try within("geometry.\(name).heads", tower.heads, 1...tower.width)
      guard tower.width % tower.heads == 0 else {
        throw BanyanError(
          .usage, at: "geometry.\(name).heads", "expected a divisor of the width \(tower.width), found \(tower.heads)")
      }
    }
    try within("geometry.projection", geometry.projection, 1...16384)
    try within("geometry.contextLength", geometry.contextLength, 3...65536)
    try within("geometry.vocabularySize", geometry.vocabularySize, 514...1 << 24)
  }

  private func checkPhases() throws {
    try within("warmup.epochs", warmup.epochs, 0...1e6)
    try within("contrastive.epochs", contrastive.epochs, 0...1e6)
    for (key, steps) in [("warmup", warmup.steps), ("contrastive", contrastive.steps)] {
      if let steps { try within("\(key).steps", steps, 0...1 << 30) }
    }
    for (key, rate) in [("warmup", warmup.learningRate), ("contrastive", contrastive.learningRate)] {
      try within("\(key).learningRate", rate, 1e-12...10)
    }
    try within("contrastive.weightDecay", contrastive.weightDecay, 0...10)
    try within("contrastive.beta1", contrastive.beta1, 0...0.999_999)
    try within("contrastive.beta2", contrastive.beta2, 0...0.999_999)
    try within("contrastive.epsilon", contrastive.epsilon, 1e-12...1)
    try within("contrastive.warmupShare", contrastive.warmupShare, 0...0.9)
    try within("contrastive.minimumRateShare", contrastive.minimumRateShare, 0...1)
    try within("contrastive.maximumScale", contrastive.maximumScale, 1...1e4)
    try within("contrastive.initialTemperature", contrastive.initialTemperature, 1 / contrastive.maximumScale...1)
    try within("contrastive.labelSmoothing", contrastive.labelSmoothing, 0...0.9)
  }

  private func within<Value: Comparable>(_ key: String, _ value: Value, _ range: ClosedRange<Value>) throws {
    guard range.contains(value) else {
      throw BanyanError(
        .usage, at: key, "expected \(range.lowerBound) to \(range.upperBound), found \(value)",
        remedy: "Change it in the --config file, or with --set \(key)=VALUE.")
    }
  }
}
