import BanyanFoundation
import BanyanTensor
import Foundation

/// Everything that the next step of a pre-training depends on.
///
/// Batches, crops and rates are functions of the step, so that no random state needs to be kept.
struct PretrainingState {
  /// What is kept beside tensors.
  struct Notes: Codable, Equatable {
    /// The phase in work.
    var phase = PhasePlan.Kind.warmup
    /// Steps taken in that phase.
    var step = 0
    /// Looks at held-out pictures so far.
    var validations: [PretrainingValidation] = []
    /// How well the heads named held-out pictures when the warm-up ended, by attribute.
    var attributeAccuracy: [String: Double] = [:]
    /// Seconds of work in earlier processes.
    var seconds: [String: Double] = [:]
  }

  var notes = Notes()
  /// The weights of both towers, and of the heads while the warm-up lasts.
  var parameters: ParameterTree
  /// The optimizer's moments.
  var optimizer = ParameterTree()
  /// The loss of every step so far, by phase.
  var losses: [PhasePlan.Kind: [Double]] = [:]

  init(_ parameters: ParameterTree) { self.parameters = parameters }

  /// The state as one file's bytes.
  ///
  /// - Parameter fingerprint: Of everything that the steps depend on; another run's state is refused.
  func encoded(fingerprint: String) throws -> Data {
    var tree = parameters.nested(under: "parameters").merging(optimizer.nested(under: "optimizer"))
    for (kind, values) in losses { tree["losses.\(kind.rawValue)"] = try Tensor(values, shape: [values.count]) }
    let text = String(decoding: try JSONDocument.data(notes, subject: "state"), as: UTF8.self)
    return try SealedTensors.encode(
      tree, metadata: ["banyan": "pretraining state 1", "fingerprint": fingerprint, "notes": text])
  }

  /// Reads a state back; `nil` where there is none.
  ///
  /// - Throws: A `BanyanError` where the file is damaged or belongs to other settings or data.
  init?(contentsOf url: URL, fingerprint: String) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let file = try SealedTensors.read(url, remedy: "Remove the file to take all steps again, and resume.")
    guard file.metadata["fingerprint"] == fingerprint else {
      throw BanyanError(
        .usage, at: url.path, "the saved state belongs to other settings, other pictures or another tokenizer",
        remedy: "Resume with the settings and pictures that it began with, or start over with --overwrite.")
    }
    notes = try JSONDocument.decode(
      from: Data((file.metadata["notes"] ?? "").utf8), subject: "\(url.path): notes")
    func part(_ prefix: String) throws -> ParameterTree {
      var tree = ParameterTree()
      for key in file.tree.paths where key.hasPrefix(prefix + ".") {
        tree[String(key.dropFirst(prefix.count + 1))] = try file.tree.require(key)
      }
      return tree
    }
    parameters = try part("parameters")
    optimizer = try part("optimizer")
    for kind in [PhasePlan.Kind.warmup, .contrastive] {
      losses[kind] = try file.tree["losses.\(kind.rawValue)"]?.doubles()
    }
  }
}
