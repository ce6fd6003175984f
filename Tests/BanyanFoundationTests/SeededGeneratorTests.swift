import BanyanFoundation
import Foundation
import Testing

@Suite struct SeededGeneratorTests {
  func words(_ seed: UInt64, _ label: String, _ count: Int = 8) -> [UInt64] {
    var generator = SeededGenerator(seed: seed, label: label)
    return (0..<count).map { _ in generator.next() }
  }

  @Test func `A stream is a function of seed and label, and different ones share nothing`() {
    #expect(words(1, "a") == words(1, "a"))
    var seen: Set<UInt64> = []
    var count = 0
    for seed in [0, 1, 2, 3, .max, 1 << 63] as [UInt64] {
      for label in ["", "a", "b", "ab", "ba", "split", "batches"] {
        let stream = words(seed, label, 50)
        count += stream.count
        seen.formUnion(stream)
      }
    }
    #expect(seen.count == count)
  }

  @Test func `The state survives JSON in the middle of a stream`() throws {
    var generator = SeededGenerator(seed: 7, label: "x")
    for _ in 0..<10 { _ = generator.next() }
    let data = try JSONDocument.data(generator, subject: "x")
    var restored = try JSONDocument.decode(SeededGenerator.self, from: data, subject: "x")
    #expect(restored == generator)
    for _ in 0..<100 { #expect(restored.next() == generator.next()) }
  }

  @Test(arguments: [1, 2, 3, 7, 10, 64]) func `Integers below a bound are all equally likely`(_ bound: Int) {
    var generator = SeededGenerator(seed: 11, label: "bound \(bound)")
    var counts = [Int](repeating: 0, count: bound)
    let draws = 20_000 * bound
    for _ in 0..<draws { counts[generator.integer(below: bound)] += 1 }
    let chiSquare = counts.reduce(0.0) { $0 + pow(Double($1) - 20_000, 2) / 20_000 }
    // Mean bound − 1, standard deviation √(2 (bound − 1)); five of them is far out.
    #expect(chiSquare <= Double(bound - 1) + 5 * (2 * Double(bound - 1)).squareRoot())
  }

  @Test func `A bound near the word's size is not biased to its lower half`() {
    // Taking the remainder of 64 bits by 3 · 2⁶¹ would hit the lower two thirds of the range one and a half times as
    // often.
    var generator = SeededGenerator(seed: 5)
    let bound = 3 << 61
    let low = (0..<30_000).count { _ in generator.integer(below: bound) < 1 << 61 }
    #expect(abs(Double(low) / 30_000 - 1.0 / 3) < 0.015)
  }

  @Test func `Uniform numbers fill the unit interval evenly`() {
    var generator = SeededGenerator(seed: 3, label: "uniform")
    let numbers = (0..<100_000).map { _ in generator.uniform() }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    let mean = numbers.reduce(0, +) / 100_000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
    #expect(abs(mean - 0.5) < 0.005 && abs(variance - 1.0 / 12) < 0.002)
  }

  @Test func `Every order of a shuffle is equally likely and nothing is lost`() {
    var generator = SeededGenerator(seed: 9, label: "shuffle")
    var counts: [[Int]: Int] = [:]
    for _ in 0..<24_000 { counts[generator.shuffled([0, 1, 2, 3]), default: 0] += 1 }
    #expect(counts.count == 24 && counts.keys.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
    let chiSquare = counts.values.reduce(0.0) { $0 + pow(Double($1) - 1000, 2) / 1000 }
    #expect(chiSquare < 23 + 5 * 46.0.squareRoot())
    #expect(generator.shuffled([Int]()).isEmpty && generator.shuffled([1]) == [1])
  }
}
