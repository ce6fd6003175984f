import Foundation

/// Numbers as people read them in tables; the same on every machine, whatever its locale.
enum NumberText {
  /// A number with `decimals` digits after the point; never `-0.0`.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "–" }
    let text = String(format: "%.\(decimals)f", value)
    return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
  }

  /// Three digits that say something, whatever the size: `0.002`, `1.25e-05`.
  static func significant(_ value: Double) -> String { value.isFinite ? String(format: "%.3g", value) : "–" }

  /// A fraction in per cent with one digit: `0.634` is `63.4`.
  static func percent(_ fraction: Double) -> String { fixed(fraction * 100, 1) }

  /// `63.4 ± 1.2`, or `63.4` without a spread.
  static func percent(_ fraction: Double, spread: Double?) -> String {
    percent(fraction) + (spread.map { " ± \(percent($0))" } ?? "")
  }

  /// At most three digits and a unit: `512`, `8.2k`, `1.5M`.
  static func short(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["", "k", "M"] {
      // 999.95 would round to 1000.0, which belongs to the next unit.
      if abs(value) < (unit.isEmpty ? 1000 : 999.95) { return unit.isEmpty ? "\(count)" : fixed(value, 1) + unit }
      value /= 1000
    }
    return fixed(value, 1) + "G"
  }

  /// Groups of three digits: `16,384`.
  static func grouped(_ count: Int) -> String {
    let digits = String(count.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return count < 0 ? "-" + text : text
  }

  /// Seconds as `3.2 s`, `2:05` or `1:02:05`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e9 else { return "–" }
    if seconds < 59.95 { return fixed(max(0, seconds), 1) + " s" }
    return clock(seconds)
  }

  /// Seconds as `0:41` or `1:02:05`.
  static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e9 else { return "–" }
    let whole = Int(max(0, seconds).rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    let tail = rest < 10 ? "0\(rest)" : "\(rest)"
    return hours > 0 ? "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)" : "\(minutes):\(tail)"
  }

  /// An affinity: two digits where all are of ordinary size, three significant ones otherwise.
  static func affinity(_ value: Double, largest: Double) -> String {
    guard value.isFinite else { return "–" }
    if largest >= 0.05 && largest < 100 { return fixed(value, 2) }
    return value == 0 ? "0" : String(format: "%.2e", value)
  }
}
