import BanyanFoundation
public import BanyanPrompts
public import BanyanReports
public import BanyanTensor

/// Logits to scores: accuracy, confusion and calibration of a classifier on labelled features.
///
///     logits = exp(logit_scale) · x wᵀ,   probabilities = softmax(logits)
///
/// The prediction is the class of the largest logit, the first one where several are equal.
public struct Evaluator: Sendable {
  /// How many equal bins of confidence the calibration error uses.
  public var binCount: Int
  private let logits: @Sendable (TaskBatch, Tensor) throws -> Tensor
  /// How many pictures go through the image tower at once; `nil` where features are at hand.
  private let rowsAtOnce: Int?

  /// An evaluator of matrices on frozen features, at a model's scale.
  public init(logitScale: Double, binCount: Int = 15) {
    self.binCount = binCount
    logits = { try $0.features.matmul($1.transposed()) * logitScale }
    rowsAtOnce = nil
  }

  /// An evaluator of what a method has learned.
  public init(_ method: any PromptMethod, _ parameters: ParameterTree, binCount: Int = 15) {
    self.binCount = binCount
    logits = { try method.logits(parameters, $0, $1) }
    rowsAtOnce = method.readsPixels ? 64 : nil
  }

  /// The scores of a task.
  ///
  /// - Parameters:
  ///   - classifier: The predicting matrix and the others that the method offers.
  ///   - test: Unit features and labels.
  ///   - classNames: The names of the classifier's rows, for the accuracy by class.
  ///   - losses: The training loss before and after learning, for the record.
  public func evaluate(
    _ classifier: TaskClassifier, on test: TaskBatch, classNames: [String],
    losses: (initial: Double, final: Double)? = nil
  ) throws -> SeedTaskResult {
    let probabilities = try self.probabilities(test, classifier.weights())
    let labels = try test.labels.integers().map(Int.init)
    var result = try score(probabilities, labels: labels, classNames: classNames)
    result.initialLoss = losses?.initial
    result.finalLoss = losses?.final
    if classifier.combinations.count > 1 {
      result.combinations = try classifier.combinations.mapValues { weights in
        let predicted = try self.probabilities(test, weights).map(Self.best)
        return Double(zip(predicted, labels).count { $0 == $1 }) / Double(max(1, labels.count))
      }
    }
    return result
  }

  /// Softmax probabilities, one row per picture.
  public func probabilities(_ batch: TaskBatch, _ weights: Tensor) throws -> [[Double]] {
    try Engine.withoutGradients {
      try parts(of: batch).flatMap { part in
        let flat = try logits(part, weights).to(.float64).softmax().doubles()
        let classes = flat.count / max(1, part.count)
        return (0..<part.count).map { Array(flat[$0 * classes..<($0 + 1) * classes]) }
      }
    }
  }

  private func parts(of batch: TaskBatch) throws -> [TaskBatch] {
    guard let rowsAtOnce, batch.count > rowsAtOnce else { return [batch] }
    return try stride(from: 0, to: batch.count, by: rowsAtOnce).map {
      try batch.rows(Array($0..<min($0 + rowsAtOnce, batch.count)))
    }
  }

  /// The mean cross-entropy of a batch.
  public func loss(_ classifier: TaskClassifier, on batch: TaskBatch) throws -> Double {
    try Engine.withoutGradients {
      let weights = try classifier.weights()
      return try parts(of: batch).reduce(0) { sum, part in
        let mean = try logits(part, weights).to(.float64).crossEntropy(part.labels).item()
        return sum + mean * (Double(part.count) / Double(batch.count))
      }
    }
  }

  /// Scores from probabilities.
  ///
  /// - Parameters:
  ///   - probabilities: One row per picture over `classNames`.
  ///   - labels: One index into `classNames` per picture.
  ///   - classNames: The classes, in the order of a row.
  public func score(_ probabilities: [[Double]], labels: [Int], classNames: [String]) throws -> SeedTaskResult {
    guard probabilities.count == labels.count, !labels.isEmpty else {
      throw BanyanError(
        .failed, at: "evaluation",
        "expected one label per picture and at least one, found \(labels.count) labels for "
          + "\(probabilities.count) pictures")
    }
    let classes = classNames.count
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    var bins = [(count: Int, confidence: Double, correct: Int)](repeating: (0, 0, 0), count: binCount)
    var correct = 0
    var mistakes: [Mistake] = []
    for (image, (row, label)) in zip(probabilities, labels).enumerated() {
      guard row.count == classes, row.allSatisfy(\.isFinite), (0..<classes).contains(label) else {
        throw BanyanError(
          .failed, at: "evaluation",
          "expected \(classes) finite probabilities and a label below \(classes), found "
            + "\(row) and \(label)")
      }
      let predicted = Self.best(row)
      confusion[label][predicted] += 1
      if predicted == label { correct += 1 }
      let confidence = row[predicted]
      if predicted != label {
        mistakes.append(Mistake(image: image, label: label, predicted: predicted, confidence: confidence))
      }
      let bin = min(binCount - 1, max(0, Int((confidence * Double(binCount)).rounded(.up)) - 1))
      bins[bin].count += 1
      bins[bin].confidence += confidence
      bins[bin].correct += predicted == label ? 1 : 0
    }
    let total = Double(labels.count)
    let reliability = bins.enumerated().map { index, bin in
      let count = Double(max(1, bin.count))
      return ReliabilityBin(
        lower: Double(index) / Double(binCount), upper: Double(index + 1) / Double(binCount), count: bin.count,
        confidence: bin.confidence / count, accuracy: Double(bin.correct) / count)
    }
    let error = reliability.reduce(0) { $0 + Double($1.count) / total * abs($1.confidence - $1.accuracy) }
    var perClass: [String: Double] = [:]
    for (index, name) in classNames.enumerated() {
      let count = confusion[index].reduce(0, +)
      if count > 0 { perClass[name] = Double(confusion[index][index]) / Double(count) }
    }
    return SeedTaskResult(
      top1: Double(correct) / total, correct: correct, count: labels.count, perClass: perClass, confusion: confusion,
      expectedCalibrationError: error, reliability: reliability, classNames: classNames,
      mistakes: Self.telling(mistakes, confusion))
  }

  /// How many mistakes a result keeps.
  private static let mistakeLimit = 24

  /// The mistakes worth a look, surest first: the surest of each of the worst confusions, then the surest of all others.
  private static func telling(_ mistakes: [Mistake], _ confusion: [[Int]]) -> [Mistake] {
    let sorted = mistakes.sorted { ($0.confidence, $1.image) > ($1.confidence, $0.image) }
    var seen: Set<[Int]> = []
    let (first, rest) = sorted.reduce(into: ([Mistake](), [Mistake]())) { parts, mistake in
      if seen.insert([mistake.label, mistake.predicted]).inserted {
        parts.0.append(mistake)
      } else {
        parts.1.append(mistake)
      }
    }
    func share(_ mistake: Mistake) -> Double {
      let row = confusion[mistake.label]
      return Double(row[mistake.predicted]) / Double(row.reduce(0, +))
    }
    // Pairs of equal share stay in the order of their confidence.
    let byShare = first.enumerated().sorted { (share($0.element), $1.offset) > (share($1.element), $0.offset) }
    let kept = (byShare.map(\.element) + rest).prefix(mistakeLimit)
    return kept.sorted { ($0.confidence, $1.image) > ($1.confidence, $0.image) }
  }

  /// The place of the largest, the first one where several are equal.
  public static func best(_ row: [Double]) -> Int {
    var best = 0
    for index in row.indices where row[index] > row[best] { best = index }
    return best
  }
}
