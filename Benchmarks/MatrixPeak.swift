import BanyanCLIP
import BanyanTensor
import Foundation

/// What the machine's matrix products reach here and now, in GFLOP/s: the roof that a case is measured against.
struct MatrixPeak: Codable {
  var float32: Double
  var bfloat16: Double
  /// What products of fp32 reach over seconds and not for a moment; beside the roof, which is the best moment's.
  var sustained = 0.0

  /// The best of many tries, or of a few, as before every case.
  static func measured(tries: Int = 20) throws -> MatrixPeak {
    MatrixPeak(float32: try best(.float32, tries: tries), bfloat16: try best(.bfloat16, tries: max(1, tries / 4)))
  }

  /// Multiplies without a pause for `seconds`, by the faster library.
  static func sustained(seconds: Double) throws -> Double {
    let generator = try EngineGenerator(seed: 1)
    let (m, k, n) = (1576, 768, 3072)
    let (a, b) = (try generator.normal([m, k]), try generator.normal([n, k]))
    return try [MatrixProducts.blas, .oneDNN].map { library in
      let start = ContinuousClock.now
      var (elapsed, count) = (0.0, 0.0)
      while elapsed < seconds / 2 {
        _ = try Engine.withoutGradients { try a.linear(b, products: library) }
        count += 1
        elapsed = (ContinuousClock.now - start) / .seconds(1)
      }
      return 2e-9 * Double(m * k * n) * count / elapsed
    }.max() ?? 0
  }

  /// Takes the better of both.
  mutating func raise(to other: MatrixPeak) {
    (float32, bfloat16) = (max(float32, other.float32), max(bfloat16, other.bfloat16))
    sustained = max(sustained, other.sustained)
  }

  /// Whether products of bf16 are faster than those of fp32, by units of their own.
  var hasBFloat16Units: Bool { bfloat16 > float32 }

  /// The roof of products in `precision`; rounded numbers may be multiplied in single precision too.
  subscript(precision: TowerPrecision) -> Double { precision == .fp32 ? float32 : max(float32, bfloat16) }

  /// Multiplies for a fifth of a second, as the other side does before each of its turns: cores that have slept through the
  /// other's turn are slow at first.
  static func wakeCores() throws {
    let x = try Tensor.full([512, 512], 1 / 512)
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .milliseconds(200) { _ = try Engine.withoutGradients { try x.matmul(x) } }
  }

  /// The best of some products of the towers' own shapes, by whichever library is faster.
  private static func best(_ dtype: DType, tries: Int) throws -> Double {
    let generator = try EngineGenerator(seed: 1)
    return try [(1576, 768, 3072), (1576, 3072, 768), (2048, 2048, 2048)].map { m, k, n in
      let a = try generator.normal([m, k]).to(dtype)
      let b = try generator.normal([n, k]).to(dtype)
      let libraries: [MatrixProducts] = dtype == .float32 ? [.blas, .oneDNN] : [.automatic]
      return try libraries.flatMap { library in
        try (0..<tries).map { _ in
          let start = ContinuousClock.now
          _ = try Engine.withoutGradients { try a.linear(b, products: library) }
          return 2e-9 * Double(m * k * n) / ((ContinuousClock.now - start) / .seconds(1))
        }
      }.max() ?? 0
    }.max() ?? 0
  }
}
