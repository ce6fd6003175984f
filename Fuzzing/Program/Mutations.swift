import BanyanFoundation
import Foundation

/// Changed copies of known inputs, for builds without libFuzzer; the same seed gives the same ones.
struct Mutations {
  private let inputs: [Data]
  private var generator: SeededGenerator
  private static let numbers = ["0", "-1", "1e999", "9223372036854775808", "null", "[]", "{}", "\"\"", "true"]

  init(of inputs: [Data], seed: UInt64) {
    self.inputs = inputs
    generator = SeededGenerator(seed: seed, label: "fuzzing")
  }

  /// One to four changes of one of the inputs.
  mutating func next() -> Data {
    guard !inputs.isEmpty else { return Data() }
    var data = inputs[generator.integer(below: inputs.count)]
    for _ in 0...generator.integer(below: 4) { change(&data) }
    return data
  }

  private mutating func change(_ data: inout Data) {
    guard !data.isEmpty else {
      data = Data((0..<8).map { _ in UInt8(generator.integer(below: 256)) })
      return
    }
    let place = generator.integer(below: data.count)
    let length = min(data.count - place, 1 + generator.integer(below: 16))
    switch generator.integer(below: 7) {
    case 0: data[place] ^= 1 << generator.integer(below: 8)
    case 1: data[place] = UInt8(generator.integer(below: 256))
    case 2: data.removeSubrange(place..<place + length)
    case 3: data.insert(contentsOf: Data(data[place..<place + length]), at: generator.integer(below: data.count))
    case 4: data = Data(data.prefix(place))
    case 5:
      let word = Self.numbers[generator.integer(below: Self.numbers.count)]
      data.replaceSubrange(place..<place + length, with: Data(word.utf8))
    default:
      let other = inputs[generator.integer(below: inputs.count)]
      data = Data(data.prefix(place)) + other.suffix(generator.integer(below: other.count + 1))
    }
  }
}
