public import BanyanFoundation
import BanyanTensor

/// What a pre-training was and what came out: the contents of `pretraining/record.json`.
public struct PretrainingRecord: Codable, Sendable, Equatable {
  /// One point of the loss curve.
  public struct Point: Codable, Sendable, Equatable {
    /// `warmup` or `contrastive`.
    public var phase: String
    /// Steps of the phase taken by then.
    public var step: Int
    /// The mean loss since the point before.
    public var loss: Double
  }

  /// What was learned from.
  public struct DataSummary: Codable, Sendable, Equatable {
    /// Where the pictures came from.
    public var path: String
    /// Pictures that were learned from.
    public var trainingPictures: Int
    /// Pictures that were held out and looked at.
    public var heldOutPictures: Int
    /// Distinct captions of all these pictures, as token ids.
    public var captions: Int
    /// SHA-256 over paths, splits, captions and attributes.
    public var listingSHA256: String
    /// SHA-256 over the decoded pixels; absent where they did not fit into memory.
    public var pixelsSHA256: String?
  }

  /// The version of this form.
  public var schema = 1
  /// Version of the program.
  public var banyan: String
  /// Version of the engine.
  public var engine: String
  /// When the training ended.
  public var createdAt: String
  /// What the user typed.
  public var command: [String]
  /// The settings in full.
  public var settings: JSONValue
  /// What was learned from.
  public var data: DataSummary
  /// Tokens of the vocabulary.
  public var vocabularySize: Int
  /// Numbers in the checkpoint.
  public var parameters: Int
  /// SHA-256 of `model.safetensors`.
  public var modelSHA256: String
  /// Mean losses, at most about 200 points a phase.
  public var losses: [Point]
  /// Accuracy of the warm-up's heads on held-out pictures, by attribute.
  public var attributeAccuracy: [String: Double]
  /// Looks at held-out pictures, the last one at the end.
  public var validations: [PretrainingValidation]
  /// Wall seconds by phase, over all processes that had a part.
  public var seconds: [String: Double]
  /// Training pictures per second, by phase.
  public var picturesPerSecond: [String: Double]
  /// Threads of one op.
  public var threads: Int

  /// The record without what differs between two equal trainings: times, rates, the command.
  public func comparable() -> PretrainingRecord {
    var copy = self
    copy.createdAt = ""
    copy.command = []
    copy.seconds = [:]
    copy.picturesPerSecond = [:]
    return copy
  }

  /// The losses of a phase as at most about 200 means.
  static func points(_ losses: [Double], phase: PhasePlan.Kind) -> [Point] {
    let length = max(1, losses.count / 200)
    return stride(from: 0, to: losses.count, by: length).map { start in
      let part = losses[start..<min(start + length, losses.count)]
      return Point(
        phase: phase.rawValue, step: part.endIndex, loss: part.reduce(0, +) / Double(part.count))
    }
  }
}
