import BanyanFoundation
import BanyanTensor

extension TaskBatch {
  /// A one in the column of every picture's class.  // [rows, classes]
  ///
  /// - Throws: A `BanyanError` that names a label which is none of the classes.
  func oneHotLabels(classes: Int) throws -> Tensor {
    var ones = [Float](repeating: 0, count: count * classes)
    for (row, label) in try labels.integers().enumerated() {
      guard (0..<Int64(classes)).contains(label) else {
        throw BanyanError(.malformed, at: "task \(task)", "expected labels below \(classes), found \(label)")
      }
      ones[row * classes + Int(label)] = 1
    }
    return try Tensor(ones, shape: [count, classes]).to(features.dtype, device: features.device)
  }

  /// How many rows of `logits`, [rows, classes], are largest at their label.
  func correct(_ logits: Tensor) throws -> Int {
    try zip(logits.argmax(1).integers(), labels.integers()).count { $0 == $1 }
  }
}
