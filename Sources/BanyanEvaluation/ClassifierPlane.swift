import BanyanFoundation
public import BanyanPrompts
public import BanyanTensor

/// The plane through three classifiers, and what a task's loss and error are on it.
///
///     u = w₂ − w₁,   v = w₃ − w₁ − ⟨w₃ − w₁, û⟩ û,   w(x, y) = w₁ + x û + y v̂
///
/// û and v̂ are orthonormal, so that distances on the plane are those between classifiers. Points of it are matrices as they
/// come: rows are not made unit again.
///
/// Paper: Liu et al., *Hierarchical Prompt Learning for Multi-Task Learning*, CVPR 2023, supplement 1.
public struct ClassifierPlane: Sendable {
  private let origin: Tensor  // [classes, projection], double precision like the two below
  private let first: Tensor
  private let second: Tensor

  /// The plane through `w1`, `w2` and `w3`, each [classes, projection].
  ///
  /// - Throws: A `BanyanError` of kind `usage` where the three lie on one line, or their shapes differ.
  public init(_ w1: Tensor, _ w2: Tensor, _ w3: Tensor) throws {
    guard w1.shape == w2.shape, w1.shape == w3.shape else {
      throw BanyanError(.usage, at: "landscape", "the classifiers have shapes \(w1.shape), \(w2.shape) and \(w3.shape)")
    }
    origin = try w1.detached().to(.float64)
    let along = try w2.detached().to(.float64) - origin
    let toThird = try w3.detached().to(.float64) - origin
    let length = try Self.product(along, along).squareRoot()
    let farther = try max(length, Self.product(toThird, toThird).squareRoot())
    guard length > 1e-9 * farther, farther > 0 else { throw Self.line }
    first = try along * (1 / length)
    // Twice: what rounding left of the first axis goes too.
    var across = toThird
    for _ in 0..<2 { across = try across - first * Self.product(across, first) }
    let height = try Self.product(across, across).squareRoot()
    guard height > 1e-6 * farther else { throw Self.line }
    second = try across * (1 / height)
  }

  private static let line = BanyanError(
    .usage, at: "landscape", "the three classifiers lie on one line",
    remedy: "Choose a task whose leaf is below other nodes, or three runs that differ.")

  private static func product(_ a: Tensor, _ b: Tensor) throws -> Double { try (a * b).sum().item() }

  /// The nearest point of the plane, and how far from it `weights` lie.
  public func place(of weights: Tensor) throws -> (x: Double, y: Double, distance: Double) {
    let offset = try weights.detached().to(.float64) - origin
    let (x, y) = (try Self.product(offset, first), try Self.product(offset, second))
    let rest = try offset - first * x - second * y
    return (x, y, try Self.product(rest, rest).squareRoot())
  }

  /// The classifier at a point.
  public func weights(x: Double, y: Double) throws -> Tensor { try origin + first * x + second * y }

  /// Mean cross-entropy and share of errors of a batch at every point of a grid, row by row.
  ///
  /// Logits are linear in the classifier, so that features meet three matrices in all, however many points there are.
  public func surface(_ batch: TaskBatch, logitScale: Double, x: [Double], y: [Double]) throws -> (
    loss: [[Double]], error: [[Double]]
  ) {
    let features = try batch.features.to(.float64)
    let parts = try [origin, first, second].map { try features.matmul($0.transposed()) * logitScale }
    let (rows, classes) = (parts[0].extent(0), parts[0].extent(1))
    let labels = try batch.labels.integers()
    var flat = [Double](repeating: 0, count: rows * classes)
    for (row, label) in labels.enumerated() { flat[row * classes + Int(label)] = 1 / Double(rows) }
    let own = try Tensor(flat, shape: [1, rows, classes])
    let points = y.flatMap { y in x.map { (x: $0, y: y) } }
    // Numbers in work at once: 64 MB.
    let atOnce = max(1, 8_000_000 / max(1, rows * classes))
    var (loss, error): ([Double], [Double]) = ([], [])
    try Engine.withoutGradients {
      for start in stride(from: 0, to: points.count, by: atOnce) {
        let some = points[start..<min(points.count, start + atOnce)]
        func column(_ values: [Double]) throws -> Tensor { try Tensor(values, shape: [some.count, 1, 1]) }
        let logits =
          try parts[0].reshaped([1, rows, classes])
          + parts[1].reshaped([1, rows, classes]) * column(some.map(\.x))
          + parts[2].reshaped([1, rows, classes]) * column(some.map(\.y))  // [points, rows, classes]
        loss += try (logits.logSoftmax() * own).sum([1, 2]).doubles().map { -$0 }
        let guesses = try logits.argmax(-1).integers()
        error += some.indices.map { point in
          let offset = (point - start) * rows
          return Double(labels.indices.count { guesses[offset + $0] != labels[$0] }) / Double(rows)
        }
      }
    }
    func grid(_ flat: [Double]) -> [[Double]] {
      y.indices.map { Array(flat[$0 * x.count..<($0 + 1) * x.count]) }
    }
    return (grid(loss), grid(error))
  }
}
