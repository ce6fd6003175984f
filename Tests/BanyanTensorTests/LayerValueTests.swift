import BanyanTensor
import Foundation
import Testing

@Suite("Numbers of the layers against plain loops")
struct LayerValueTests {
  @Test("linear is x Wᵀ + b")
  func linear() throws {
    let x = try Tensor([1.0, 2, 3, 4], shape: [2, 2])
    let weight = try Tensor([1.0, 0, 0, 1, 1, -1], shape: [3, 2])
    let bias = try Tensor([10.0, 20, 30], shape: [3])
    try expectValues(x.linear(weight), [1, 2, -1, 3, 4, -1], shape: [2, 3])
    try expectValues(x.linear(weight, bias), [11, 22, 29, 13, 24, 29], shape: [2, 3])
  }

  @Test("layer norm has the population variance and ε inside the root")
  func layerNorm() throws {
    let x = try random([3, 5], "x", scale: 3)
    let (weight, bias) = (try positive([5], "w"), try random([5], "b"))
    let (w, b, values) = (try weight.doubles(), try bias.doubles(), try x.doubles())
    var expected: [Double] = []
    for row in 0..<3 {
      let part = values[row * 5..<row * 5 + 5]
      let mean = part.reduce(0, +) / 5
      let variance = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5
      for (i, value) in part.enumerated() {
        expected.append((value - mean) / (variance + 0.1).squareRoot() * w[i] + b[i])
      }
    }
    try expectValues(x.layerNorm(weight, bias, epsilon: 0.1), expected, shape: [3, 5])
  }

  @Test("convolution slides without turning the kernel", arguments: [(1, 0), (2, 0), (2, 1), (1, 2)])
  func convolution(stride: Int, padding: Int) throws {
    let x = try random([2, 3, 5, 6], "x")
    let weight = try random([4, 3, 3, 2], "w")
    let bias = try random([4], "b")
    let (values, w, b) = (try x.doubles(), try weight.doubles(), try bias.doubles())
    let (high, wide) = ((5 + 2 * padding - 3) / stride + 1, (6 + 2 * padding - 2) / stride + 1)
    var expected: [Double] = []
    for n in 0..<2 {
      for o in 0..<4 {
        for i in 0..<high {
          for j in 0..<wide {
            var sum = b[o]
            for c in 0..<3 {
              for u in 0..<3 {
                for v in 0..<2 {
                  let (row, column) = (i * stride + u - padding, j * stride + v - padding)
                  guard (0..<5).contains(row), (0..<6).contains(column) else { continue }
                  sum += values[((n * 3 + c) * 5 + row) * 6 + column] * w[((o * 3 + c) * 3 + u) * 2 + v]
                }
              }
            }
            expected.append(sum)
          }
        }
      }
    }
    let found = try x.convolution2D(weight, bias, stride: stride, padding: padding)
    try expectValues(found, expected, shape: [2, 4, high, wide])
    let bare = try x.convolution2D(weight, stride: stride, padding: padding)
    #expect(try (bare + bias.reshaped([4, 1, 1])).largestDifference(from: found) < 1e-12)
  }

  @Test("windows are what a convolution multiplies its kernel with", arguments: [(1, 0), (2, 0), (2, 1), (1, 2)])
  func windows(stride: Int, padding: Int) throws {
    let x = try random([2, 3, 5, 6], "x")
    let weight = try random([4, 3, 3, 3], "w")
    let windows = try x.windows(kernel: 3, stride: stride, padding: padding)
    let convolved = try x.convolution2D(weight, stride: stride, padding: padding)
    let shape = convolved.shape
    let found = try windows.linear(weight.reshaped([4, 27])).transposed().reshaped(shape)
    #expect(try found.largestDifference(from: convolved) < 1e-12)
    // The largest of a window of what is not below zero: padding counts as nothing.
    let positive = try x.abs()
    let pooled = try positive.maxPooled(kernel: 3, stride: stride, padding: min(padding, 1))
    let rows = try positive.windows(kernel: 3, stride: stride, padding: min(padding, 1)).doubles()
    let places = rows.count / (2 * 27)
    var expected: [Double] = []
    for n in 0..<2 {
      for channel in 0..<3 {
        for place in 0..<places {
          let start = (n * places + place) * 27 + channel * 9
          expected.append(rows[start..<start + 9].max() ?? 0)
        }
      }
    }
    try expectValues(pooled, expected, shape: [2, 3] + pooled.shape[2...])
  }

  /// `softmax(q kᵀ / √d + mask) v` of one head by loops.
  private func attention(_ q: [Double], _ k: [Double], _ v: [Double], d: Int, mask: (Int, Int) -> Double) -> [Double] {
    let (queries, keys) = (q.count / d, k.count / d)
    var result: [Double] = []
    for i in 0..<queries {
      let scores = (0..<keys).map { j in
        (0..<d).reduce(0) { $0 + q[i * d + $1] * k[j * d + $1] } / Double(d).squareRoot() + mask(i, j)
      }
      let top = scores.max() ?? 0
      let weights = scores.map { exp($0 - top) }
      let total = weights.reduce(0, +)
      for c in 0..<d { result.append((0..<keys).reduce(0) { $0 + weights[$1] / total * v[$1 * d + c] }) }
    }
    return result
  }

  @Test("attention without a mask, causal, and with a mask")
  func attention() throws {
    let (q, k, v) = (try random([1, 1, 4, 6], "q"), try random([1, 1, 4, 6], "k"), try random([1, 1, 4, 6], "v"))
    let (a, b, c) = (try q.doubles(), try k.doubles(), try v.doubles())
    let mask = try random([4, 4], "mask")
    let m = try mask.doubles()
    let shape = [1, 1, 4, 6]
    try expectValues(q.attention(keys: k, values: v), attention(a, b, c, d: 6) { _, _ in 0 }, shape: shape)
    try expectValues(
      q.attention(keys: k, values: v, causal: true), attention(a, b, c, d: 6) { $1 > $0 ? -.infinity : 0 }, shape: shape
    )
    try expectValues(
      q.attention(keys: k, values: v, mask: mask), attention(a, b, c, d: 6) { m[$0 * 4 + $1] }, shape: shape)
    let seen = try Tensor((0..<16).map { $0 % 4 <= $0 / 4 ? 1.0 : 0 }, shape: [4, 4]).to(.bool)
    #expect(
      try q.attention(keys: k, values: v, mask: seen)
        .largestDifference(from: q.attention(keys: k, values: v, causal: true)) < 1e-12)
  }

  @Test("attention in floats over many tokens agrees with double precision")
  func longAttention() throws {
    let tensors = try ["q", "k", "v"].map { try random([2, 2, 150, 16], $0) }
    for causal in [false, true] {
      let exact = try tensors[0].attention(keys: tensors[1], values: tensors[2], causal: causal)
      let floats = try tensors.map { try $0.to(.float32) }
      let found = try floats[0].attention(keys: floats[1], values: floats[2], causal: causal)
      #expect(try found.largestDifference(from: exact) < 1e-5)
    }
  }

  @Test("cross-entropy is the mean of −log p(label)")
  func crossEntropy() throws {
    let logits = try Tensor([1.0, 2, 3, 0, 0, 0], shape: [2, 3])
    let first = -log(exp(1.0) / (exp(1) + exp(2) + exp(3)))
    try expectValues(logits.crossEntropy(.indices([0, 2])), [(first + log(3)) / 2], shape: [])
    let steep = try Tensor([1e4, 0.0], shape: [1, 2])
    #expect(try steep.crossEntropy(.indices([1])).item() == 1e4)
  }
}
