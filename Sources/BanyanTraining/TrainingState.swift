import BanyanFoundation
import BanyanTensor
import Foundation

/// Everything that the next step depends on, so that a continued run takes the very steps of an uninterrupted one.
///
/// Batches and rates are functions of the step, so that no random state needs to be kept.
struct TrainingState {
  /// How many steps were taken.
  var step = 0
  /// The trained parameters.
  var parameters: ParameterTree
  /// The optimizer's momentum or moments.
  var optimizer = ParameterTree()
  /// Sums of the objectives of the current epoch, by task.
  var epochSums: [Double]
  /// Mean objectives of the finished epochs: one row per epoch, one column per task.
  var curve: [[Double]] = []
  /// The best validation loss so far, where early stopping is on.
  var bestLoss = Double.infinity
  /// Epochs since then.
  var badEpochs = 0
  /// The parameters at that point.
  var best: ParameterTree?
  /// Whether early stopping has ended the training.
  var isStopped = false

  /// The state as one file's bytes.
  ///
  /// - Parameter fingerprint: Of everything that the steps depend on; another run's state is refused.
  func encoded(fingerprint: String) throws -> Data {
    var tree = parameters.nested(under: "parameters").merging(optimizer.nested(under: "optimizer"))
    if let best { tree = tree.merging(best.nested(under: "best")) }
    tree["epochSums"] = try Tensor(epochSums, shape: [epochSums.count])
    tree["curve"] = try Tensor(Array(curve.joined()), shape: [curve.count, epochSums.count])
    tree["validation"] = try Tensor([bestLoss], shape: [1])
    return try SealedTensors.encode(
      tree,
      metadata: [
        "banyan": "training state 1", "fingerprint": fingerprint, "step": "\(step)", "badEpochs": "\(badEpochs)",
        "stopped": "\(isStopped)",
      ])
  }

  /// Reads a state back; `nil` where there is none.
  ///
  /// - Throws: A `BanyanError` where the file is damaged or belongs to another experiment.
  init?(contentsOf url: URL, fingerprint: String, initial: ParameterTree) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let file = try SealedTensors.read(
      url, remedy: "Remove the file to take this seed's steps again, and resume.")
    guard file.metadata["fingerprint"] == fingerprint else {
      throw BanyanError(
        .usage, at: url.path, "the saved state belongs to another experiment",
        remedy: "Resume with the settings, model and pictures that it began with, or start over with --overwrite.")
    }
    func number(_ key: String) throws -> Int {
      guard let value = file.metadata[key].flatMap(Int.init) else {
        throw BanyanError(.malformed, at: "\(url.path): \(key)", "expected a number")
      }
      return value
    }
    func part(_ prefix: String) throws -> ParameterTree {
      var tree = ParameterTree()
      for key in file.tree.paths where key.hasPrefix(prefix + ".") {
        tree[String(key.dropFirst(prefix.count + 1))] = try file.tree.require(key)
      }
      return tree
    }
    step = try number("step")
    badEpochs = try number("badEpochs")
    isStopped = file.metadata["stopped"] == "true"
    let loaded = try part("parameters")
    parameters = loaded
    guard loaded.paths == initial.paths,
      try initial.paths.allSatisfy({ try loaded.require($0).shape == initial.require($0).shape })
    else { throw BanyanError(.malformed, at: url.path, "the saved parameters are not those of the method") }
    optimizer = try part("optimizer")
    let best = try part("best")
    self.best = best.count > 0 ? best : nil
    epochSums = try file.tree.require("epochSums").doubles()
    let tasks = epochSums.count
    let values = try file.tree.require("curve").doubles()
    guard tasks > 0, values.count % tasks == 0 else {
      throw BanyanError(
        .malformed, at: "\(url.path): curve", "expected rows of \(tasks), found \(values.count) numbers")
    }
    curve = stride(from: 0, to: values.count, by: tasks).map { Array(values[$0..<$0 + tasks]) }
    bestLoss = try file.tree.require("validation").item()
  }

  init(_ parameters: ParameterTree, tasks: Int) {
    self.parameters = parameters
    epochSums = [Double](repeating: 0, count: tasks)
  }
}
