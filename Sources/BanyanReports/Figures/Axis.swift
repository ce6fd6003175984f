import Foundation

/// A scale from values to places in a figure, with round numbers to mark.
struct Axis: Sendable, Equatable {
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  /// Where `low` and `high` stand.
  let from: Double
  let to: Double

  /// An axis over `values`, with a little room at both ends; logarithmic ones want values above zero.
  init(over values: [Double], from: Double, to: Double, isLogarithmic: Bool = false) {
    let finite = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
    var (low, high) = (finite.min() ?? (isLogarithmic ? 1 : 0), finite.max() ?? (isLogarithmic ? 10 : 1))
    if isLogarithmic {
      (low, high) = low == high ? (low / 2, high * 2) : (low / pow(high / low, 0.06), high * pow(high / low, 0.06))
    } else {
      let room = low == high ? max(abs(low) * 0.1, 0.5) : (high - low) * 0.06
      (low, high) = (low - room, high + room)
    }
    (self.low, self.high, self.isLogarithmic) = (low, high, isLogarithmic)
    (self.from, self.to) = (from, to)
  }

  func place(_ value: Double) -> Double {
    let share = isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
    return from + share * (to - from)
  }

  /// Round numbers inside the axis, about `count` of them.
  func ticks(_ count: Int = 5) -> [Double] {
    if isLogarithmic {
      let powers = (Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))).map { pow(10, Double($0)) }
      let fine = log10(high / low) < 1.5 ? [1.0, 2, 5] : [1]
      return powers.flatMap { power in fine.map { $0 * power } }.filter { $0 >= low && $0 <= high }
    }
    let raw = (high - low) / Double(max(1, count))
    let power = pow(10, log10(raw).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? 10 * power
    return (Int((low / step).rounded(.up))...Int((high / step).rounded(.down))).map { Double($0) * step }
  }
}
