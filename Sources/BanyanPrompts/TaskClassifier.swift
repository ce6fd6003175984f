import BanyanFoundation
public import BanyanTensor

/// What prediction needs of one task: a matrix of class weights, with the other matrices that the method can offer.
public struct TaskClassifier: Sendable {
  /// The matrices by name, each [classes, projection] with rows of length one.
  public var combinations: [String: Tensor]
  /// The one that predicts.
  public var chosen: String
  /// What combinations are made of, by name, where the method has parts; nobody predicts with them and they are not saved.
  public var parts: [String: Tensor] = [:]

  /// A classifier with a choice.
  ///
  /// - Throws: A `BanyanError` where the choice is not among the combinations.
  public init(_ combinations: [String: Tensor], chosen: String) throws {
    guard combinations[chosen] != nil else {
      throw BanyanError(
        .usage, at: chosen, "there is no such combination",
        remedy: NearNames.remedy(for: chosen, among: combinations.keys))
    }
    self.combinations = combinations
    self.chosen = chosen
  }

  /// A classifier without a choice.
  public init(_ weights: Tensor) {
    combinations = ["prompt": weights]
    chosen = "prompt"
  }

  /// The matrix that predicts, [classes, projection].
  public func weights() throws -> Tensor {
    guard let weights = combinations[chosen] else { throw BanyanError(.failed, at: chosen, "no such combination") }
    return weights
  }
}
