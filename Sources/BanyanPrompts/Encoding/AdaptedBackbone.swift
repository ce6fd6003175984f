import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// The frozen backbone, and the models that it becomes with some of its weights replaced.
struct AdaptedBackbone: Sendable {
  let towers: AdaptedTowers
  /// Whether one set of replacements serves all tasks.
  let isShared: Bool
  private let model: CLIPModel
  private let names: [String]
  private let imagePath: ImageTower.EncodingPath
  private let encoder: TemplateEncoder
  /// The class weights, where the text tower stays as it is.
  private let frozenWeights: TemplateWeights?

  /// - Throws: A `BanyanError` where a template has not exactly one `{}`, or a sentence is too long.
  init(_ templates: [String], towers: AdaptedTowers, isShared: Bool, context: MethodContext) throws {
    guard context.model.precision == .fp32 else {
      throw BanyanError(
        .usage, at: "--precision \(context.model.precision.rawValue)", "this method changes the towers' own weights",
        remedy: "Use fp32, or a method that leaves the towers frozen.")
    }
    self.towers = towers
    self.isShared = isShared
    model = context.model
    names = context.tasks.map(\.name)
    imagePath = context.imagePath
    encoder = try TemplateEncoder(templates, context: context)
    frozenWeights = towers == .image ? try TemplateWeights(templates, context: context) : nil
  }

  /// The unit that serves a task: what its parameters' paths begin with.
  func unit(of task: Int) -> String { isShared ? "shared" : "tasks.\(task)" }

  /// Every unit with a label made of the tasks it serves, whatever their order.
  var units: [(path: String, label: String)] {
    isShared
      ? [("shared", names.sorted().joined(separator: "\u{1F}"))]
      : names.enumerated().map { ("tasks.\($0.offset)", $0.element) }
  }

  /// The frozen weight at `path`.
  func weight(_ path: String) throws -> Tensor { try model.parameters.require(path) }

  /// The backbone's paths that begin with one of the changed towers' names.
  var paths: [String] {
    model.parameters.paths.filter { path in towers.names.contains { path.hasPrefix("\($0).") } }
  }

  /// Tasks with equal keys have equal class weights.
  func key(task: Int) -> String { isShared || frozenWeights != nil ? encoder.key(task: task) : "task \(task)" }

  /// The weights of a task's classes, or of some of them, by the text tower with `changed` in the place of frozen weights.  // [classes, projection]
  func weights(task: Int, classes: Range<Int>? = nil, changed: (_ tower: String) throws -> ParameterTree) throws
    -> Tensor
  {
    if let frozenWeights {
      let all = try frozenWeights(task)
      return try classes.map { try all.narrowed(0, start: $0.lowerBound, length: $0.count) } ?? all
    }
    return try encoder.weights(task: task, classes: classes, tower: model(with: changed("text")).text)
  }

  /// A batch's features by the image tower with `changed` in the place of frozen weights.  // [rows, projection]
  func features(_ batch: TaskBatch, changed: (_ tower: String) throws -> ParameterTree) throws -> Tensor {
    if towers == .text { return batch.features }
    return try model(with: changed("image")).image.features(batch.pixels(), path: imagePath).normalized()
  }

  /// Only wiring: nothing of the backbone is copied.
  private func model(with changed: ParameterTree) throws -> CLIPModel {
    try CLIPModel(model.configuration, parameters: model.parameters.merging(changed))
  }
}
