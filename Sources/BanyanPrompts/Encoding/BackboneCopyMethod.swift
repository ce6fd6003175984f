import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// A method that trains copies of some of the backbone's weights, under the backbone's own paths.
protocol BackboneCopyMethod: BackboneMethod {
  /// The backbone's paths of what is copied.
  var copied: [String] { get }
}

extension BackboneCopyMethod {
  func start(_ label: String, seed: UInt64) throws -> ParameterTree {
    // Clones: what an optimizer changes in place must not be the backbone's.
    ParameterTree(
      Dictionary(uniqueKeysWithValues: try copied.map { ($0, try backbone.weight($0).detached().clone()) }))
  }

  func changed(_ tower: String, _ own: (String) throws -> Tensor) throws -> ParameterTree {
    ParameterTree(
      Dictionary(uniqueKeysWithValues: try copied.filter { $0.hasPrefix("\(tower).") }.map { ($0, try own($0)) }))
  }

  /// `exp(s) · x wᵀ`, with the task's own `s` where the scale is among what is copied.
  public func logits(_ parameters: ParameterTree, _ batch: TaskBatch, _ weights: Tensor) throws -> Tensor {
    let cosines = try features(parameters, batch).matmul(weights.transposed())
    guard copied.contains("logitScale") else { return try cosines * logitScale }
    return try cosines * parameters.require("\(backbone.unit(of: batch.task)).logitScale").exp()
  }
}
