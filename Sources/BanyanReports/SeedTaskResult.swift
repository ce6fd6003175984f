/// One bin of a reliability diagram.
public struct ReliabilityBin: Codable, Sendable, Equatable {
  /// The lowest confidence in the bin, as a fraction.
  public var lower: Double
  /// The highest confidence in the bin, as a fraction.
  public var upper: Double
  /// How many test images fell into the bin.
  public var count: Int
  /// The mean confidence of those images; 0 where there is none.
  public var confidence: Double
  /// The share of those images that were classified correctly; 0 where there is none.
  public var accuracy: Double

  /// Creates a bin.
  public init(lower: Double, upper: Double, count: Int, confidence: Double, accuracy: Double) {
    self.lower = lower
    self.upper = upper
    self.count = count
    self.confidence = confidence
    self.accuracy = accuracy
  }
}

/// A test image that was taken for another class.
public struct Mistake: Codable, Sendable, Equatable {
  /// Its place among the task's test images, as the record's split lists them.
  public var image: Int
  /// The true class, as a row of the confusion matrix.
  public var label: Int
  /// The class that it was taken for.
  public var predicted: Int
  /// How sure the prediction was, as a fraction.
  public var confidence: Double

  /// Creates a mistake.
  public init(image: Int, label: Int, predicted: Int, confidence: Double) {
    (self.image, self.label, self.predicted, self.confidence) = (image, label, predicted, confidence)
  }
}

/// What one seed reached on one task.
public struct SeedTaskResult: Codable, Sendable, Equatable {
  /// The share of test images whose most likely class is the true one, as a fraction.
  public var top1: Double
  /// How many test images were classified correctly.
  public var correct: Int
  /// How many test images there are.
  public var count: Int
  /// The accuracy on the test images of each class, by class name; a class without test images is absent.
  public var perClass: [String: Double]
  /// How often class `i` was taken for class `j`, `[classes, classes]`.
  public var confusion: [[Int]]
  /// The names of the classes in the order of ``confusion``; `nil` in records of earlier versions.
  public var classNames: [String]?
  /// The surest mistake of each of the worst confusions and, where there is room, others, surest first.
  ///
  /// `nil` in records of earlier versions.
  public var mistakes: [Mistake]?
  /// The expected calibration error `Σ_b n_b/n · |accuracy_b − confidence_b|`, as a fraction.
  public var expectedCalibrationError: Double
  /// The bins that error is a sum over.
  public var reliability: [ReliabilityBin]
  /// The training loss of the prompts before the first step; `nil` where nothing is trained.
  public var initialLoss: Double?
  /// The training loss of the learned prompts; `nil` where nothing is trained.
  public var finalLoss: Double?
  /// Top-1 by way of combining classifiers, such as `individual`, `shared`, `average`; `nil` where there is one.
  public var combinations: [String: Double]?

  /// Creates a result.
  public init(
    top1: Double, correct: Int, count: Int, perClass: [String: Double] = [:], confusion: [[Int]] = [],
    expectedCalibrationError: Double = 0, reliability: [ReliabilityBin] = [], initialLoss: Double? = nil,
    finalLoss: Double? = nil, combinations: [String: Double]? = nil, classNames: [String]? = nil,
    mistakes: [Mistake]? = nil
  ) {
    self.top1 = top1
    self.correct = correct
    self.count = count
    self.perClass = perClass
    self.confusion = confusion
    self.expectedCalibrationError = expectedCalibrationError
    self.reliability = reliability
    self.initialLoss = initialLoss
    self.finalLoss = finalLoss
    self.combinations = combinations
    self.classNames = classNames
    self.mistakes = mistakes
  }
}
