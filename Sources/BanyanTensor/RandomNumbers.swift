public import BanyanFoundation
import Foundation

extension SeededGenerator {
  /// One standard normal number (Box-Muller, one of the pair).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}

extension Tensor {
  /// Numbers from N(0, deviation²), drawn from `generator` in row-major order.
  public static func normal(_ shape: [Int], deviation: Double = 1, generator: inout SeededGenerator) throws -> Tensor {
    let elements = (0..<(try elementCount(shape))).map { _ in Float(generator.normal() * deviation) }
    return try Tensor(elements, shape: shape)
  }

  /// Numbers from the uniform distribution on ±`bound`, drawn from `generator` in row-major order.
  public static func uniform(_ shape: [Int], bound: Double, generator: inout SeededGenerator) throws -> Tensor {
    let elements = (0..<(try elementCount(shape))).map { _ in Float((2 * generator.uniform() - 1) * bound) }
    return try Tensor(elements, shape: shape)
  }
}
