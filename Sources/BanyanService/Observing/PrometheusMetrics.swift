public import CoreMetrics
import Synchronization

/// Metrics that are kept here and read as text by Prometheus.
///
/// Format: *Prometheus text exposition, version 0.0.4*. Timers become histograms in seconds, recorders histograms, or gauges
/// where nothing is aggregated.
public final class PrometheusMetrics: MetricsFactory, Sendable {
  fileprivate enum Kind: String {
    case counter, gauge, histogram
  }

  fileprivate struct Series {
    var kind: Kind
    var value = 0.0
    var bounds: [Double] = []
    var counts: [Int] = []
    var count = 0
  }

  private struct Key: Hashable {
    var name: String
    var labels: String
  }

  private let series = Mutex<[Key: Series]>([:])

  /// Nothing is counted yet.
  public init() {}

  /// What has been counted, a line a series, in the order of names and labels.
  public var text: String {
    let all = series.withLock { $0 }
    var lines: [String] = []
    var last = ""
    for (key, series) in all.sorted(by: { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }) {
      if key.name != last { lines.append("# TYPE \(key.name) \(series.kind.rawValue)") }
      last = key.name
      func line(_ suffix: String, _ more: String, _ value: String) {
        let labels = [key.labels, more].filter { !$0.isEmpty }.joined(separator: ",")
        lines.append("\(key.name)\(suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(value)")
      }
      guard series.kind == .histogram else {
        line("", "", Self.number(series.value))
        continue
      }
      var below = 0
      for (bound, count) in zip(series.bounds, series.counts) {
        below += count
        line("_bucket", "le=\"\(Self.number(bound))\"", "\(below)")
      }
      line("_bucket", "le=\"+Inf\"", "\(series.count)")
      line("_sum", "", Self.number(series.value))
      line("_count", "", "\(series.count)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  /// Seconds of answers; numbers of pictures.
  private static func bounds(_ name: String) -> [Double] {
    name.hasSuffix("_seconds")
      ? [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] : [1, 2, 4, 8, 16, 32, 64, 128]
  }

  private func key(_ label: String, _ dimensions: [(String, String)]) -> Key {
    func plain(_ text: String) -> String {
      String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" })
    }
    let labels = dimensions.map { name, value in
      let text = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
      return "\(plain(name))=\"\(text)\""
    }
    return Key(name: plain(label), labels: labels.joined(separator: ","))
  }

  private func cell(_ label: String, _ dimensions: [(String, String)], _ kind: Kind) -> Cell {
    let key = key(label, dimensions)
    let bounds = kind == .histogram ? Self.bounds(key.name) : []
    series.withLock { series in
      if series[key] == nil {
        series[key] = Series(kind: kind, bounds: bounds, counts: [Int](repeating: 0, count: bounds.count))
      }
    }
    return Cell { [weak self] change in
      self?.series.withLock { $0[key]?.take(change) }
    }
  }

  fileprivate enum Change {
    case add(Double), set(Double), observe(Double), reset
  }

  /// One series, as whatever swift-metrics calls it.
  private final class Cell: CounterHandler, RecorderHandler, TimerHandler, MeterHandler, FloatingPointCounterHandler {
    private let apply: @Sendable (Change) -> Void

    init(_ apply: @escaping @Sendable (Change) -> Void) { self.apply = apply }

    func increment(by amount: Int64) { apply(.add(Double(amount))) }
    func increment(by amount: Double) { apply(.add(amount)) }
    func decrement(by amount: Double) { apply(.add(-amount)) }
    func reset() { apply(.reset) }
    func set(_ value: Int64) { apply(.set(Double(value))) }
    func set(_ value: Double) { apply(.set(value)) }
    func record(_ value: Int64) { apply(.observe(Double(value))) }
    func record(_ value: Double) { apply(.observe(value)) }
    func recordNanoseconds(_ duration: Int64) { apply(.observe(Double(duration) / 1e9)) }
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    cell(label, dimensions, .counter)
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler { cell(label, dimensions, .counter) }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    cell(label, dimensions, .gauge)
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler { cell(label, dimensions, aggregate ? .histogram : .gauge) }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    cell(label, dimensions, .histogram)
  }

  // Series are few and stay.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}
}

extension PrometheusMetrics.Series {
  fileprivate mutating func take(_ change: PrometheusMetrics.Change) {
    switch (change, kind) {
    case (.add(let amount), _): value += amount
    case (.set(let new), _): value = new
    case (.observe(let new), .gauge): value = new
    case (.observe(let new), _):
      value += new
      count += 1
      if let place = bounds.firstIndex(where: { new <= $0 }) { counts[place] += 1 }
    case (.reset, _): value = 0
    }
  }
}
