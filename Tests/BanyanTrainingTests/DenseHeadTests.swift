import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Testing

@Suite struct DenseHeadTests {
  private func normal(_ shape: [Int], _ seed: UInt64) throws -> Tensor {
    var generator = SeededGenerator(seed: seed, label: "dense")
    return try Tensor.normal(shape, generator: &generator)
  }

  @Test func `a decoder speaks of every place, four times as many a side`() throws {
    let map = try normal([2, 5, 3, 3], 1)
    let places = try DenseHead(.places(4), channels: 5, seed: 1, device: .cpu)
    #expect(try places(map).logits.shape == [2, 144, 4])
    let numbers = try DenseHead(.numbers, channels: 5, seed: 1, device: .cpu)
    #expect(try numbers(map).logits.shape == [2, 144, 1])
    let labels = try DenseHead(.labels(7), channels: 5, seed: 1, device: .cpu)
    #expect(try labels(map).logits.shape == [2, 7])
    // Before it has learned, all classes are as likely and all numbers are zero.
    #expect(try numbers(map).logits.doubles().allSatisfy { $0 == 0 })
    #expect(
      try DenseHead(.numbers, channels: 5, seed: 2, device: .cpu).parameters.differingPaths(from: numbers.parameters)
        .count == 4)
  }

  @Test func `it learns where something is`() throws {
    // The sign of the first channel says what a place is; its neighbours in the output are four by four.
    let maps = try normal([12, 3, 2, 2], 3)
    let signs = try maps.narrowed(1, start: 0, length: 1).doubles()
    let classes = (0..<12).flatMap { row in
      (0..<64).map { place -> Int in
        let (y, x) = (place / 8 / 4, place % 8 / 4)
        return signs[row * 4 + y * 2 + x] > 0 ? 1 : 0
      }
    }
    let targets = try Tensor.indices(classes).reshaped([12, 64])
    var head = try DenseHead(.places(2), channels: 3, seed: 5, device: .cpu)
    let before = try head.loss(head(maps).logits, targets).item()
    try head.learn(steps: 60, rate: 0.01) { _ in (maps, targets) }
    let after = try head.loss(head(maps).logits, targets).item()
    #expect(abs(before - 0.693) < 0.01 && after < 0.3, "\(before), \(after)")
    let found = try head(maps).logits.argmax(2).integers()
    #expect(zip(found, classes).count { Int($0) == $1 } > 12 * 64 * 9 / 10)

    let numbers = try Tensor(classes.map { Float(2 * $0 - 1) }, shape: [12, 64])
    var regression = try DenseHead(.numbers, channels: 3, seed: 5, device: .cpu)
    try regression.learn(steps: 60, rate: 0.01) { _ in (maps, numbers) }
    #expect(try regression.loss(regression(maps).logits, numbers).item() < 0.3)
  }

  @Test func `what is drawn has the outputs as its mean`() throws {
    let pairs: [Float] = (0..<12_000).map { $0 % 2 == 0 ? 1 : 0 }
    let logits = try Tensor(pairs, shape: [2, 3000, 2])
    var generator = SeededGenerator(seed: 1, label: "drawn")
    let places = try DenseHead(.places(2), channels: 1, seed: 1, device: .cpu)
    let cotangent = try places.drawnCotangent(logits, generator: &generator)
    // p − [y = c] has mean zero, and the variance of a coin.
    let values = try cotangent.doubles()
    let p = 1 / (1 + 0.36787944117)
    let first = stride(from: 0, to: values.count, by: 2).map { values[$0] }
    let mean = first.reduce(0, +) / 6000
    let square = first.reduce(0) { $0 + $1 * $1 } / 6000
    #expect(abs(mean) < 0.02 && abs(square - p * (1 - p)) < 0.01)
    let numbers = try DenseHead(.numbers, channels: 1, seed: 1, device: .cpu)
    let noise = try numbers.drawnCotangent(.zeros([1, 9000, 1]), generator: &generator).doubles()
    #expect(abs(noise.reduce(0) { $0 + $1 * $1 } / 9000 - 1) < 0.06)
  }

  @Test func `what a decoder asks of a probe is that of each picture's own gradient`() throws {
    let network = MixedProbeNetwork(convolution: try normal([5, 3, 3, 3], 11), linear: try normal([2, 5], 12))
    let pixels = try normal([3, 3, 8, 8], 13)
    let head = try DenseHead(.numbers, channels: 5, seed: 7, device: .cpu)
    var learned = head
    let targets = try normal([3, 256], 14)
    try learned.learn(steps: 2, rate: 0.01) { _ in (try network.map(pixels) { _, _, y in y }, targets) }
    var generator = SeededGenerator(seed: 1, label: "dense sums")
    var drawn: Tensor?
    let found = try FilterSquares.sums({ try learned(network.map(pixels, tap: $0)).logits }) {
      let cotangent = try learned.drawnCotangent($0, generator: &generator)
      drawn = cotangent
      return cotangent
    }
    let cotangent = try #require(drawn)
    var expected = [Double](repeating: 0, count: 5)
    for row in 0..<3 {
      var own = network
      own.convolution = try network.convolution.asParameter()
      let y = try learned(own.map(pixels.narrowed(0, start: row, length: 1)) { _, _, output in output }).logits
      let gradient = try Gradients.of(
        [y], cotangents: [cotangent.narrowed(0, start: row, length: 1)], with: [own.convolution])[0]
      expected = zip(expected, try gradient.reshaped([5, 27]).squared().mean([1]).doubles()).map(+)
    }
    #expect(found.map(\.layer.name) == ["convolution"])
    try agree(found[0].sums, expected, "information", within: Tolerance(1e-4))
  }
}
