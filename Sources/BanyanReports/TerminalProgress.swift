/// How far a long phase is, as one line of text.
///
/// A value and a formatter only: who prints it, and how often, is up to the caller.
///
///     TerminalProgress(label: "training", done: 60, total: 80, elapsedSeconds: 12).line(width: 80)
///     // training [███████████████     ]   75%  60/80  5.0/s  0:04 left
public struct TerminalProgress: Sendable, Equatable {
  /// What is going on.
  public var label: String
  /// The steps that are done.
  public var done: Int
  /// All steps; 0 where it is not known.
  public var total: Int
  /// The seconds since the first step.
  public var elapsedSeconds: Double
  /// The latest loss by task, in the order to show.
  public var losses: [(task: String, loss: Double)]

  /// Creates a state of progress.
  public init(
    label: String, done: Int, total: Int, elapsedSeconds: Double, losses: [(task: String, loss: Double)] = []
  ) {
    self.label = label
    self.done = done
    self.total = total
    self.elapsedSeconds = elapsedSeconds
    self.losses = losses
  }

  /// Whether two states are the same.
  public static func == (a: TerminalProgress, b: TerminalProgress) -> Bool {
    a.label == b.label && a.done == b.done && a.total == b.total && a.elapsedSeconds == b.elapsedSeconds
      && a.losses.elementsEqual(b.losses) { $0.task == $1.task && $0.loss == $1.loss }
  }

  private static let barWidths = [20, 10]

  /// The line, at most `width` columns: what does not fit is left out, losses first, then the bar, rate and counts.
  public func line(width: Int) -> String {
    guard width > 0 else { return "" }
    let label = TextWidth.printable(label)
    let share = total > 0 ? min(1, max(0, Double(done) / Double(total))) : nil
    // Downwards, so that 100% means done.
    let percent = share.map { TextWidth.right("\(Int(($0 * 100).rounded(.down)))%", 4) }
    let counts = total > 0 ? "\(done)/\(total)" : "\(done)"
    let rate = elapsedSeconds > 0 && done > 0 ? Double(done) / elapsedSeconds : nil
    let speed = rate.map {
      $0 >= 1 || $0 == 0 ? "\(NumberText.fixed($0, 1))/s" : "\(NumberText.fixed(1 / $0, 1)) s each"
    }
    let left = rate.flatMap { total > done ? "\(NumberText.clock(Double(total - done) / $0)) left" : nil }

    var parts = [label]
    var used = TextWidth.columns(label)
    func fits(_ part: String, gap: Int = 2) -> Bool { used + gap + TextWidth.columns(part) <= width }
    // By importance first; the order on the line comes after.
    var kept: [String: String] = [:]
    for (key, part) in [("percent", percent), ("left", left), ("counts", counts), ("speed", speed)] {
      guard let part, fits(part) else { continue }
      kept[key] = part
      used += 2 + TextWidth.columns(part)
    }
    if let share, let size = Self.barWidths.first(where: { used + 3 + $0 <= width }) {
      parts[0] += " " + Self.bar(share, size)
      used += 3 + size
    }
    parts += ["percent", "counts", "speed", "left"].compactMap { kept[$0] }
    for (task, loss) in losses {
      let part = "\(TextWidth.clippedInside(TextWidth.printable(task), 14)) \(NumberText.fixed(loss, 3))"
      guard fits(part) else { break }
      parts.append(part)
      used += 2 + TextWidth.columns(part)
    }
    return TextWidth.clipped(parts.joined(separator: "  "), width)
  }

  private static func bar(_ share: Double, _ size: Int) -> String {
    let full = Int((share * Double(size)).rounded(.down))
    return "[" + String(repeating: "█", count: full) + String(repeating: " ", count: size - full) + "]"
  }
}
