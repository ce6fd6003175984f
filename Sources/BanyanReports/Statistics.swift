/// The two numbers a record keeps of several seeds.
public enum Statistics {
  /// The arithmetic mean `x̄ = Σ xᵢ / n`; 0 for no values.
  public static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }

  /// The sample standard deviation `√(Σ (xᵢ − x̄)² / (n − 1))`; `nil` for fewer than two values.
  public static func standardDeviation(_ values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    let mean = mean(values)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }
}
