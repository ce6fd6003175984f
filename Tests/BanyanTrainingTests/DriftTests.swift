import BanyanEvaluation
import BanyanFoundation
import BanyanTensor
import BanyanTraining
import Foundation
import Testing

/// Whether changed traffic is told from unchanged.
@Suite struct DriftTests {
  private static let width = 24

  /// Pictures of three classes around their own centres, of unequal spread by direction.
  private func window(
    _ count: Int, seed: UInt64, shift: Double = 0, spread: Double = 1, mix: [Double] = [1, 1, 1], doubt: Double = 0
  ) -> PictureWindow {
    var generator = SeededGenerator(seed: seed, label: "window")
    func normal() -> Double {
      (-2 * log(1 - generator.uniform())).squareRoot() * cos(2 * .pi * generator.uniform())
    }
    var set = PictureWindow(features: [], confidences: [], labels: [])
    let total = mix.reduce(0, +)
    for _ in 0..<count {
      var draw = generator.uniform() * total
      var label = 0
      while label < 2, draw >= mix[label] {
        draw -= mix[label]
        label += 1
      }
      set.features.append(
        (0..<Self.width).map { j in
          let centre = j % 3 == label ? 1.0 : 0
          return Float(centre + spread * normal() / (1 + Double(j) / 4) + (j < 4 ? shift : 0))
        })
      set.confidences.append(min(1, max(0.34, 0.8 - doubt + 0.1 * normal())))
      set.labels.append(label)
    }
    return set
  }

  @Test func falseAlarmsAreAsRareAsIsAskedFor() throws {
    var alarms = 0
    for number in 0..<200 {
      let outcome = try DriftTest(components: 6, draws: 99, seed: UInt64(number)).compare(
        window(40, seed: UInt64(1000 + number)), with: window(80, seed: UInt64(5000 + number)))
      if outcome.pValue <= 0.05 { alarms += 1 }
    }
    // Binomial(200, 0.05): mean 10, and more than 20 once in a thousand times.
    #expect((1...20).contains(alarms), "\(alarms) of 200")
  }

  @Test func itIsStoppedBetweenDraws() throws {
    var asked = 0
    let error = #expect(throws: BanyanError.self) {
      try DriftTest(draws: 1_000_000).compare(window(20, seed: 1), with: window(20, seed: 2)) {
        asked += 1
        return asked > 5
      }
    }
    #expect(error?.kind == .interrupted && asked == 6)
  }

  @Test func aRecordThatContradictsItselfIsRefused() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "traffic-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    var traffic = Traffic()
    for number in 0..<9 {
      traffic.add([Float(number), 1], probabilities: [0.25, 0.75], task: "ink", origin: "run")
    }
    try traffic.write(to: url)
    #expect(try Traffic(contentsOf: url).window("ink")?.count == 9)
    let sound = try SealedTensors.read(url, remedy: "")
    let wrong: [(String, Tensor)] = [
      ("features", try Tensor([Float](repeating: 1, count: 18), shape: [18])),
      ("features", try Tensor([Float](repeating: 1, count: 16), shape: [8, 2])),
      ("features", try .full([9, 2], .nan)), ("labels", try .full([9], 4e9, dtype: .float64)),
      ("confidences", try .full([9], .nan, dtype: .float64)), ("confidences", try .full([8], 0.5, dtype: .float64)),
      ("labels", try .full([9], -1, dtype: .float64)), ("labels", try .full([9], 1e300, dtype: .float64)),
      ("labels", try .full([9], 0.5, dtype: .float64)), ("seen", try .full([1], .infinity, dtype: .float64)),
      ("seen", try .full([1], 2, dtype: .float64)),
    ]
    for (name, tensor) in wrong {
      var tree = sound.tree
      tree["tasks.0.\(name)"] = tensor
      try SealedTensors.encode(tree, metadata: sound.metadata).write(to: url)
      let error = #expect(throws: BanyanError.self, "\(name) \(tensor.shape)") { try Traffic(contentsOf: url) }
      #expect(error?.kind == .malformed)
    }
  }

  @Test func whatHasMovedIsFoundAndCalledByItsName() throws {
    let cases: [(PictureWindow, DriftTest.Aspect)] = [
      (window(80, seed: 2, shift: 0.8), .mean), (window(120, seed: 3, spread: 1.7), .covariance),
      (window(120, seed: 4, mix: [8, 1, 1]), .labels), (window(80, seed: 5, doubt: 0.12), .confidence),
    ]
    for (moved, aspect) in cases {
      let outcome = try DriftTest(components: 6).compare(moved, with: window(160, seed: 99))
      #expect(
        outcome.pValue <= 0.005 && outcome.pValues[aspect.rawValue].map { $0 <= 0.01 } == true, "\(aspect): \(outcome)")
    }
    // Where nothing but the confidence differs, it is the confidence that is named.
    let doubt = try DriftTest(components: 6).compare(window(80, seed: 5, doubt: 0.12), with: window(160, seed: 99))
    #expect(doubt.foremost == .confidence)
    // A new direction that the pool's main components do not hold.
    var strange = window(60, seed: 6)
    var generator = SeededGenerator(seed: 1)
    for i in strange.features.indices {
      for j in 12..<Self.width { strange.features[i][j] += Float(0.6 * (generator.uniform() - 0.5)) }
    }
    let outcome = try DriftTest(components: 3).compare(strange, with: window(160, seed: 99))
    #expect(outcome.pValues["residual"].map { $0 <= 0.01 } == true, "\(outcome)")
  }

  @Test func equalSeedsGiveEqualNumbersAndPowerGrowsWithPictures() throws {
    let known = window(200, seed: 10)
    let test = DriftTest(components: 6, draws: 199)
    #expect(try test.compare(window(30, seed: 11), with: known) == test.compare(window(30, seed: 11), with: known))
    func found(_ count: Int) throws -> Int {
      try (0..<20).count { number in
        try test.compare(window(count, seed: UInt64(100 + number), shift: 0.25), with: known).pValue <= 0.05
      }
    }
    #expect(try found(10) < found(120))
  }

  @Test func whatIsTooLittleIsRefused() throws {
    #expect(throws: BanyanError.self) { try DriftTest().compare(window(7, seed: 1), with: window(20, seed: 2)) }
    var narrow = window(20, seed: 1)
    narrow.features[3].removeLast()
    #expect(throws: BanyanError.self) { try DriftTest().compare(narrow, with: window(20, seed: 2)) }
    // Equal pictures all over: nothing differs, and nothing divides by zero.
    let still = PictureWindow(
      features: [[Float]](repeating: [1, 0, 0], count: 10), confidences: [Double](repeating: 1, count: 10),
      labels: [Int](repeating: 0, count: 10))
    #expect(try DriftTest(draws: 19).compare(still, with: still).pValue == 1)
  }

  @Test func trafficKeepsTheLastPicturesAndComesBackFromItsFile() throws {
    var traffic = Traffic(capacity: 5)
    for number in 0..<12 {
      traffic.add([Float(number), 1], probabilities: [0.2, 0.8], task: "ink")
      if number < 3 { traffic.add([Float(number), 2], probabilities: [0.9, 0.1], task: "a.b/c \u{1F3A8}") }
    }
    #expect(traffic.window("ink")?.features.map { $0[0] }.sorted() == [7, 8, 9, 10, 11] && traffic.seen("ink") == 12)
    let file = FileManager.default.temporaryDirectory.appending(path: "traffic-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: file) }
    try traffic.write(to: file)
    var again = try Traffic(contentsOf: file)
    #expect(again.taskNames == traffic.taskNames && again.capacity == 5 && again.seen("ink") == 12)
    #expect(again.window("a.b/c \u{1F3A8}")?.labels == [0, 0, 0])
    again.add([50, 1], probabilities: [0.2, 0.8], task: "ink")
    #expect(again.window("ink")?.count == 5)
    // Other prompts answer: what was kept is of no use.
    again.add([1, 1], probabilities: [0.3, 0.7], task: "ink", origin: "other")
    #expect(again.window("ink")?.count == 1 && again.origin("ink") == "other")
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count - 3] ^= 1
    try bytes.write(to: file)
    #expect(throws: BanyanError.self) { try Traffic(contentsOf: file) }
  }
}
