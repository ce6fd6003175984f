import BanyanFoundation
public import Foundation

/// What a run is doing now, kept in its folder while it works and gone when it is finished.
///
/// Unlike a ``RunRecord`` it says what is, not what came out; nothing is computed from it.
public struct LiveStatus: Codable, Sendable, Equatable {
  /// The version of the form that this version of Banyan writes.
  public static let currentSchema = 1
  /// The file inside a run's folder.
  public static let fileName = "status.json"

  /// The accuracy that a finished seed has reached.
  public struct Result: Codable, Sendable, Equatable {
    /// The seed.
    public var seed: UInt64
    /// Top-1 by task.
    public var tasks: [String: Double]

    /// Creates a result.
    public init(seed: UInt64, tasks: [String: Double]) { (self.seed, self.tasks) = (seed, tasks) }
  }

  /// Mean losses over some steps, by task.
  public struct Losses: Codable, Sendable, Equatable {
    /// The last of the steps.
    public var step: Int
    /// By task.
    public var tasks: [String: Double]

    /// Creates a point of the curves.
    public init(step: Int, tasks: [String: Double]) { (self.step, self.tasks) = (step, tasks) }
  }

  /// The form's version.
  public var schema = Self.currentSchema
  /// The method's title.
  public var method: String
  /// The process that works.
  public var process: Int32
  /// When it began, in seconds since 1970.
  public var began: Double
  /// When this was written, in seconds since 1970.
  public var updated: Double
  /// What is being done.
  public var phase = "Starting"
  /// When that began, in seconds since 1970.
  public var phaseBegan: Double
  /// Steps or things done in this phase.
  public var done = 0
  /// Steps or things of this phase in all; 0 where they are not counted.
  public var total = 0
  /// The seed in work.
  public var seed: UInt64?
  /// Its place, from 1, and how many seeds there are.
  public var seedNumber = 0
  /// How many seeds there are.
  public var seedCount = 0
  /// The rate of the last step.
  public var rate: Double?
  /// The losses of every so many steps, from the first step that this process took.
  public var losses: [Losses] = []
  /// Of every so many steps.
  public var stride = 1
  /// The losses of the last step.
  public var latest: Losses?
  /// The tree of tasks, once it is known.
  public var tree: RecordedTree?
  /// The groups of tasks, once they are known.
  public var groups: [[String]]?
  /// What finished seeds have reached.
  public var results: [Result] = []
  /// The most memory that was in use at once.
  public var peakMemoryBytes = 0

  /// A run that begins.
  public init(method: String, process: Int32, began: Double) {
    (self.method, self.process) = (method, process)
    (self.began, updated, phaseBegan) = (began, began, began)
  }

  /// The status of the run in `folder`; `nil` where none is at work.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where it is damaged or was written by a newer version.
  public static func read(_ folder: URL) throws -> LiveStatus? {
    let url = folder.appendingPathComponent(fileName)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let status = try JSONDocument.read(LiveStatus.self, from: url)
    guard status.schema >= 1, status.schema <= currentSchema else {
      throw BanyanError(
        .malformed, at: "\(url.path): schema", "expected 1 to \(currentSchema), found \(status.schema)",
        remedy: "Read it with the version of Banyan that wrote it, or a newer one.")
    }
    return status
  }

  /// How many points of the curves are kept at most.
  static let mostPoints = 240

  /// Takes a step's losses in; where there are too many, every other is let go, and from then on.
  public mutating func add(_ losses: Losses) {
    latest = losses
    guard let first = self.losses.first else {
      self.losses = [losses]
      return
    }
    guard (losses.step - first.step) % stride == 0 else { return }
    self.losses.append(losses)
    guard self.losses.count > Self.mostPoints else { return }
    stride *= 2
    self.losses = self.losses.filter { ($0.step - first.step) % stride == 0 }
  }

  /// Forgets the curves, for another seed.
  public mutating func clearLosses() { (losses, stride, latest, rate) = ([], 1, nil, nil) }

  /// A loss in a few letters, whatever its size.
  private static func number(_ loss: Double) -> String {
    abs(loss) < 1e6 ? NumberText.fixed(loss, 3) : NumberText.significant(loss)
  }

  /// The screen of `banyan watch`, in at most `width` columns.
  ///
  /// - Parameters:
  ///   - width: Columns of the terminal.
  ///   - now: Seconds since 1970.
  ///   - isAlive: Whether the process still is.
  public func screen(width: Int, now: Double, isAlive: Bool) -> String {
    func shown(_ text: String) -> String { TextWidth.clipped(TextWidth.printable(text), width) }
    var lines = [shown("\(method)  seed \(seed.map(String.init) ?? "–") (\(seedNumber) of \(seedCount))")]
    let memory = peakMemoryBytes > 0 ? ", \(NumberText.grouped(peakMemoryBytes >> 20)) MiB" : ""
    let state = isAlive ? "" : "  the process is gone; go on with `banyan train --resume`"
    lines.append(shown("running \(NumberText.duration(now - began))\(memory)\(state)"))
    let bar = TerminalProgress(label: phase, done: done, total: total, elapsedSeconds: max(0, updated - phaseBegan))
    lines.append(total > 0 ? bar.line(width: width) : shown(phase))
    if let rate { lines.append("rate \(NumberText.significant(rate))") }
    if let last = latest, let first = losses.first {
      lines += ["", "loss by task, from step \(first.step) to \(last.step)"]
      let names = last.tasks.keys.sorted()
      let nameWidth = min(24, names.map(TextWidth.columns).max() ?? 0)
      let room = max(8, width - nameWidth - 12)
      for name in names {
        let curve = (losses.filter { $0.step < last.step } + [last]).compactMap { $0.tasks[name] }
        let label = TextWidth.left(TextWidth.clippedInside(TextWidth.printable(name), nameWidth), nameWidth)
        lines.append("\(label)  \(Sparkline.text(curve, width: room))  \(Self.number(curve.last ?? 0))")
      }
    }
    if !results.isEmpty {
      lines.append("")
      let names = Set(results.flatMap(\.tasks.keys)).sorted()
      let table = TextTable(
        headings: ["top-1, %"] + results.map { "seed \($0.seed)" },
        rows: (names.map { name in
          [name] + results.map { result in result.tasks[name].map { NumberText.percent($0) } ?? "–" }
        })
          + [["average"] + results.map { NumberText.percent(Statistics.mean(Array($0.tasks.values))) }])
      lines += table.lines(width: width)
    }
    if let tree, let drawing = try? TreeDrawing(tree) {
      lines += ["", "tree of tasks", drawing.text(width: width)]
    } else if let groups {
      lines += ["", "groups of tasks"] + groups.map { shown("  " + $0.joined(separator: ", ")) }
    }
    return lines.joined(separator: "\n")
  }
}

/// A curve in one line of text.
enum Sparkline {
  private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// The curve in at most `width` columns; where there are more values, means of neighbours.
  static func text(_ values: [Double], width: Int) -> String {
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max(), width > 0 else { return "" }
    let columns = min(width, values.count)
    return String(
      (0..<columns).map { column -> Character in
        let (from, to) = (column * values.count / columns, (column + 1) * values.count / columns)
        let part = values[from..<max(from + 1, to)].filter(\.isFinite)
        guard !part.isEmpty else { return " " }
        let share = high > low ? (Statistics.mean(Array(part)) - low) / (high - low) : 0
        guard share.isFinite else { return bars[0] }
        return bars[min(bars.count - 1, max(0, Int(share * Double(bars.count))))]
      })
  }
}
