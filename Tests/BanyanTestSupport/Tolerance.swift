public import BanyanTensor

/// How far two correct programs may differ, relative to the largest entry of the expected tensor.
///
/// The goldens differ from their own float64 twins by up to 6e-7 (features) and 3e-6 (gradients, ten steps); a program
/// that adds up in another order may differ about ten times as much.
public struct Tolerance: Sendable {
  /// The share of the largest entry.
  public let relative: Double

  /// A tolerance of `relative` of the largest entry.
  public init(_ relative: Double) { self.relative = relative }

  /// Where a number stands on the way from an op to a trained prompt.
  public enum Rung: Sendable {
    /// One op, forward or backward.
    case operation
    /// A block or a tower, forward: hidden states, features, logits.
    case tower
    /// A gradient through a tower.
    case gradient
    /// Losses and contexts after ten steps of an optimizer.
    case training
  }

  /// The tolerance of a rung in the arithmetic of `dtype`.
  public static func at(_ rung: Rung, _ dtype: DType = .float32) -> Tolerance {
    switch (rung, dtype) {
    case (.operation, .float64): Tolerance(1e-14)
    case (.tower, .float64): Tolerance(1e-12)
    case (.gradient, .float64): Tolerance(1e-11)
    case (.training, .float64): Tolerance(1e-10)
    case (.operation, _): Tolerance(3e-6)
    case (.tower, _): Tolerance(1e-5)
    case (.gradient, _): Tolerance(3e-5)
    case (.training, _): Tolerance(1e-4)
    }
  }

  /// Two ways to one number in one program: the shared prefix, chunks, cached features.
  public static let shortcut = Tolerance(1e-5)

  /// Nothing: every element must be the same number.
  public static let exact = Tolerance(0)
}
