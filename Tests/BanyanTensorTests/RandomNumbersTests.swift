import BanyanFoundation
import BanyanTensor
import Testing

@Suite("Random numbers")
struct RandomNumbersTests {
  @Test("the same seed gives the same bytes, another seed or label gives others")
  func seeds() throws {
    func draw(_ seed: UInt64, _ label: String) throws -> Tensor {
      var generator = SeededGenerator(seed: seed, label: label)
      return try .normal([100], deviation: 0.02, generator: &generator)
    }
    let x = try draw(1, "context")
    #expect(try draw(1, "context").isIdentical(to: x))
    #expect(try !draw(2, "context").isIdentical(to: x))
    #expect(try !draw(1, "other").isIdentical(to: x))
    #expect(x.dtype == .float32 && x.shape == [100])
  }

  @Test("the stream goes on, and its first numbers do not change with the version")
  func stream() throws {
    var (whole, parts) = (SeededGenerator(seed: 5), SeededGenerator(seed: 5))
    let x = try Tensor.normal([6], generator: &whole)
    let y = try Tensor.concatenated(
      [.normal([2], generator: &parts), .normal([2, 2], generator: &parts).reshaped([4])], axis: 0)
    #expect(try x.isIdentical(to: y))
    #expect(whole == parts)
    try expectValues(
      x.narrowed(0, start: 0, length: 3), [1.2065720, -1.0782049, 1.3543996], shape: [3], tolerance: 1e-6)
  }

  @Test("the moments are those of a normal distribution")
  func moments() throws {
    var generator = SeededGenerator(seed: 9)
    let values = try Tensor.normal([100_000], deviation: 2, generator: &generator).doubles().map { $0 / 2 }
    let moments = (1...4).map { power in
      values.reduce(0) { sum, value in sum + (1...power).reduce(1) { product, _ in product * value } } / 100_000
    }
    // Five standard errors of each moment.
    for (found, (expected, deviation)) in zip(moments, [(0.0, 1.0), (1, 1.42), (0, 3.88), (3, 9.8)]) {
      #expect(abs(found - expected) < 5 * deviation / 100_000.0.squareRoot())
    }
    #expect(Swift.abs(Double(values.count { Swift.abs($0) < 1 }) / 100_000 - 0.6827) < 0.008)
  }

  @Test("the engine's generator repeats itself from its seed and stays in its range")
  func engineGenerator() throws {
    let (a, b, c) = (try EngineGenerator(seed: 4), try EngineGenerator(seed: 4), try EngineGenerator(seed: 5))
    let x = try a.normal([50])
    #expect(try x.isIdentical(to: b.normal([50])))
    #expect(try !x.isIdentical(to: c.normal([50])))
    #expect(try !x.isIdentical(to: a.normal([50])))
    _ = try b.normal([50])
    let uniform = try a.uniform([4, 1000], dtype: .float64)
    #expect(try uniform.isIdentical(to: b.uniform([4, 1000], dtype: .float64)))
    #expect(try uniform.doubles().allSatisfy { 0 <= $0 && $0 < 1 })
    #expect(try abs(uniform.mean().item() - 0.5) < 0.03)
  }
}
