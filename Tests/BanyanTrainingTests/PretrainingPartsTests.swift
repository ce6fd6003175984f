import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// The loss, the scores and the dropping of patches, each against a plain twin.
@Suite struct PretrainingPartsTests {
  private func normal(_ shape: [Int], seed: UInt64) throws -> Tensor {
    var generator = SeededGenerator(seed: seed, label: "pretraining parts")
    return try Tensor.normal(shape, generator: &generator).to(.float64)
  }

  private func rows(_ x: Tensor) throws -> [[Double]] {
    let (values, width) = (try x.doubles(), x.extent(1))
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  /// The loss in loops, over one direction at a time.
  private func twin(_ x: [[Double]], _ w: [[Double]], scale: Double, captions: [Int], smoothing: Double) -> Double {
    func unit(_ v: [Double]) -> [Double] { v.map { $0 / v.reduce(0) { $0 + $1 * $1 }.squareRoot() } }
    let (x, w) = (x.map(unit), w.map(unit))
    let count = captions.count
    func entropy(_ a: [[Double]], _ b: [[Double]]) -> Double {
      (0..<count).reduce(0) { sum, i in
        let logits = b.map { scale * zip(a[i], $0).reduce(0) { $0 + $1.0 * $1.1 } }
        let log = Foundation.log(logits.map(exp).reduce(0, +))
        let positives = captions.filter { $0 == captions[i] }.count
        let own = (0..<count).map { j in
          (captions[i] == captions[j] ? (1 - smoothing) / Double(positives) : 0) + smoothing / Double(count)
        }
        return sum - zip(own, logits).reduce(0) { $0 + $1.0 * ($1.1 - log) } / Double(count)
      }
    }
    return (entropy(x, w) + entropy(w, x)) / 2
  }

  @Test(arguments: [([0, 1, 2, 3, 4], 0.0), ([0, 1, 0, 2, 0], 0.0), ([0, 1, 1, 2, 3], 0.2)])
  func theLossIsThatOfTheEquation(_ captions: [Int], _ smoothing: Double) throws {
    let (x, w) = (try normal([5, 7], seed: 1), try normal([5, 7], seed: 2))
    let scale = try Tensor([log(6.0)], shape: []).to(.float64)
    let loss = try ContrastiveLoss.symmetric(
      images: x, texts: w, logScale: scale, captions: captions, labelSmoothing: smoothing)
    let expected = twin(try rows(x), try rows(w), scale: 6, captions: captions, smoothing: smoothing)
    #expect(abs(try loss.item() - expected) < 1e-10)
  }

  @Test func theGradientIsThatOfFiniteDifferences() throws {
    let leaves = try [normal([4, 3], seed: 3), normal([4, 3], seed: 4), Tensor([1.2], shape: [])].map {
      try $0.asParameter()
    }
    func loss(_ parts: [Tensor]) throws -> Tensor {
      try ContrastiveLoss.symmetric(
        images: parts[0], texts: parts[1], logScale: parts[2], captions: [0, 1, 0, 2], labelSmoothing: 0.1)
    }
    let gradients = try Gradients.of([loss(leaves)], with: leaves)
    let step = 1e-6
    for (index, gradient) in gradients.enumerated() {
      let (values, shape) = (try leaves[index].doubles(), leaves[index].shape)
      for (place, exact) in try gradient.doubles().enumerated() {
        func moved(_ by: Double) throws -> Double {
          var (elements, parts) = (values, leaves)
          elements[place] += by
          parts[index] = try Tensor(elements, shape: shape)
          return try loss(parts).item()
        }
        let difference = try (moved(step) - moved(-step)) / (2 * step)
        #expect(abs(difference - exact) < 1e-7, "input \(index), element \(place)")
      }
    }
  }

  @Test func scoresCountDistinctCaptionsAndTheBestOfTheirPictures() {
    // Pictures 0 and 2 have caption 0; picture 1 is nearer to caption 0 than to its own.
    let scores = RetrievalScores([0.9, 0.1, 0.8, 0.7, 0.2, 0.3], captionOfPicture: [0, 1, 0], captions: 2)
    #expect(scores.imageToText1 == 1.0 / 3 && scores.imageToText5 == 1)
    #expect(scores.textToImage1 == 1 && scores.textToImage5 == 1)
    // All the same is no better than chance.
    let flat = RetrievalScores([Float](repeating: 0.5, count: 100), captionOfPicture: Array(0..<10), captions: 10)
    #expect(flat.imageToText1 == 0.1 && flat.textToImage5 == 0.5)
  }

  @Test func droppingNoPatchIsThePlainTower() throws {
    let model = try TinyCLIP(dtype: .float64).model
    let (side, count) = (model.configuration.imageSize, model.configuration.patchCount)
    let pixels = try normal([3, 3, side, side], seed: 5)
    let plain = try model.image.features(pixels)
    try agree(model.image.features(pixels, keeping: nil), plain, "all", within: .at(.tower, .float64))
    let all = [[Int]](repeating: Array(0..<count), count: 3)
    try agree(model.image.features(pixels, keeping: all), plain, "all by name", within: .at(.tower, .float64))
  }

  @Test func aDroppedPatchIsNotSeenAndAKeptOneKeepsItsPlace() throws {
    let model = try TinyCLIP(dtype: .float64).model
    let (side, patch) = (model.configuration.imageSize, model.configuration.patchSize)
    let grid = side / patch
    let kept = [[0, grid + 1], [1, grid]]
    let pixels = try normal([2, 3, side, side], seed: 6)
    let features = try model.image.features(pixels, keeping: kept)
    // Other contents of a patch that neither picture keeps change nothing.
    var elements = try pixels.doubles()
    let last = elements.count - 1
    elements[last] += 5
    let elsewhere = try Tensor(elements, shape: pixels.shape)
    if grid * grid - 1 > grid + 1 {
      #expect(try model.image.features(elsewhere, keeping: kept).isIdentical(to: features))
    }
    // The order in which patches are named does not matter; which they are does.
    let turned = try model.image.features(pixels, keeping: kept.map { $0.reversed() })
    try agree(turned, features, "turned", within: .at(.tower, .float64))
    let other = try model.image.features(pixels, keeping: [[0, grid], [1, grid]])
    #expect(try other.largestDifference(from: features) > 1e-6)
    #expect(throws: BanyanError.self) { try model.image.features(pixels, keeping: [[0], [grid * grid]]) }
    #expect(throws: BanyanError.self) { try model.image.features(pixels, keeping: [[0], [1, 2]]) }
  }
}
