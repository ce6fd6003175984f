import Foundation

/// Student's t distribution, for intervals around means of few values.
public enum StudentT {
  /// The `t` below which a share `probability` of the distribution lies.
  ///
  /// - Parameters:
  ///   - probability: Above 0.5 and below 1; 0.975 for a two-sided interval of 95 %.
  ///   - degreesOfFreedom: At least 1.
  /// - Returns: The quantile, to about ten digits; `nil` outside these ranges.
  public static func quantile(_ probability: Double, degreesOfFreedom: Int) -> Double? {
    guard probability > 0.5, probability < 1, degreesOfFreedom >= 1 else { return nil }
    // With t = √n tan θ the density becomes cosⁿ⁻¹ θ on a bounded range.
    let power = Double(degreesOfFreedom - 1)
    // With many degrees all of it lies near zero, where the steps of the sum must be.
    let end = min(.pi / 2, 12 / Double(degreesOfFreedom).squareRoot())
    let whole = integral(power, upTo: end)
    let wanted = (probability - 0.5) * 2 * whole
    var (low, high) = (0.0, end)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if integral(power, upTo: middle) < wanted { low = middle } else { high = middle }
    }
    return Double(degreesOfFreedom).squareRoot() * tan((low + high) / 2)
  }

  /// `∫₀ˣ cosᵖ θ dθ` by Simpson's rule.
  private static func integral(_ power: Double, upTo end: Double) -> Double {
    let steps = 400
    let width = end / Double(steps)
    var sum = 0.0
    for step in 0...steps {
      let weight: Double = step == 0 || step == steps ? 1 : step % 2 == 1 ? 4 : 2
      sum += weight * pow(max(cos(Double(step) * width), 0), power)
    }
    return sum * width / 3
  }
}
