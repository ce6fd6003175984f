import BanyanFoundation
import BanyanTensor

/// One linear classifier per attribute on the image feature, for the warm-up alone.
///
/// The features are those after the projection, not normalised, so that the projection too has learned what pictures
/// differ in when captions come.
struct AttributeHeads {
  let attributes: [AttributeLabels]

  /// The heads' weights: `heads.<n>.weight` [values, projection] and `heads.<n>.bias`.
  func initialParameters(width: Int, seed: UInt64) throws -> ParameterTree {
    var tree = ParameterTree()
    for (index, attribute) in attributes.enumerated() {
      var generator = SeededGenerator(seed: seed, label: "initial head \(attribute.name)")
      tree["heads.\(index).weight"] = try .normal(
        [attribute.values.count, width], deviation: 0.02, generator: &generator)
      tree["heads.\(index).bias"] = try .zeros([attribute.values.count])
    }
    return tree
  }

  /// The sum over attributes of the mean cross-entropy, over the pictures that have the attribute.
  ///
  /// - Parameters:
  ///   - features: [rows, projection].
  ///   - rows: Which pictures they are of.
  func loss(_ features: Tensor, rows: [Int], parameters: ParameterTree) throws -> Tensor {
    var sum = try features.sum() * 0
    for (index, attribute) in attributes.enumerated() {
      let known = rows.indices.filter { attribute.labels[rows[$0]] != nil }
      guard !known.isEmpty else { continue }
      let labels = known.compactMap { attribute.labels[rows[$0]] }
      let logits = try logits(index, features, known, parameters)
      sum = try sum + logits.crossEntropy(.indices(labels, device: features.device))
    }
    return sum
  }

  /// How many pictures' values are named right, and how many have one, by attribute.
  func hits(_ features: Tensor, rows: [Int], parameters: ParameterTree) throws -> [(right: Int, all: Int)] {
    try attributes.enumerated().map { index, attribute in
      let known = rows.indices.filter { attribute.labels[rows[$0]] != nil }
      guard !known.isEmpty else { return (0, 0) }
      let guesses = try logits(index, features, known, parameters).argmax(1).integers()
      let right = zip(guesses, known).count { Int($0) == attribute.labels[rows[$1]] }
      return (right, known.count)
    }
  }

  private func logits(
    _ index: Int, _ features: Tensor, _ known: [Int], _ parameters: ParameterTree
  ) throws -> Tensor {
    let isWhole = known.count == features.extent(0)
    let own = isWhole ? features : try features.gathered(0, .indices(known, device: features.device))
    return try own.linear(parameters.require("heads.\(index).weight"), parameters.require("heads.\(index).bias"))
  }
}
