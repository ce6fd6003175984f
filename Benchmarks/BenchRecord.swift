import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import Foundation

/// What a run of the benchmark found, for a file and for eyes.
struct BenchRecord: Codable {
  var date: String
  var machine: String
  var cores: Int
  var threads: Int
  var engine: String
  var peer: String
  var geometry: String
  var command: String
  var peak: MatrixPeak
  var cases: [CaseResult] = []

  init(rig: Rig, peer: String, peak: MatrixPeak) {
    date = Date().formatted(.iso8601)
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    func known(_ field: String) -> String? {
      info.split(separator: "\n").first {
        $0.split(separator: ":").first?.trimmingCharacters(in: .whitespaces) == field
      }?
      .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    }
    // Servers' processors of several generations go by one name.
    let numbers = ["cpu family", "model", "stepping"].compactMap(known).joined(separator: "-")
    machine = (known("model name") ?? "unknown") + (numbers.isEmpty ? "" : " (\(numbers))")
    cores = ProcessInfo.processInfo.activeProcessorCount
    threads = Engine.threads
    engine = Engine.version
    self.peer = "torch \(peer) with transformers"
    geometry = rig.model.configuration.summary
    command = "banyan-bench " + CommandLine.arguments.dropFirst().joined(separator: " ")
    self.peak = peak
  }

  /// Takes over the cases of the record at `path`, which must come from the same machine and the same towers.
  mutating func goOn(with path: String?) throws {
    guard let path else { throw BanyanError(.usage, at: "--resume", "needs --record") }
    guard FileManager.default.fileExists(atPath: path) else { return }
    let before = try JSONDocument.read(BenchRecord.self, from: URL(fileURLWithPath: path))
    guard
      (before.machine, before.threads, before.engine, before.peer, before.geometry) == (
        machine, threads, engine, peer, geometry
      )
    else {
      throw BanyanError(
        .usage, at: path, "comes from another machine, engine or geometry", remedy: "Leave out --resume.")
    }
    (date, cases) = (before.date, before.cases)
    peak.raise(to: before.peak)
    rate()
  }

  /// Adds a case, and what products reached just before it: the roof of all is the best that was seen in the run.
  mutating func add(_ result: CaseResult, peak measured: MatrixPeak) {
    peak.raise(to: measured)
    cases.append(result)
    rate()
  }

  private mutating func rate() {
    for index in cases.indices {
      cases[index].share = cases[index].gigaflops / peak[cases[index].isHalf ? .bf16 : .fp32]
    }
  }

  func has(_ item: BenchCase) -> Bool { cases.contains { $0.name == item.name } }

  var heading: String {
    func text(_ value: Double) -> String { String(format: "%.0f", value) }
    return """
      \(machine), \(threads) of \(cores) cores; \(engine) against \(peer)
      \(geometry)
      matrix products: \(text(peak.float32)) GFLOP/s fp32, \(text(peak.sustained)) over seconds; \(text(peak.bfloat16)) GFLOP/s bf16
      """
  }

  var markdown: String {
    var lines = [
      heading.replacingOccurrences(of: "\n", with: "\n\n"), "", "\(date), `\(command)`:", "",
      "| case | Banyan | published way | ratio | best settings | ratio | memory | GFLOP/s | of the peak | cores busy |",
      "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += cases.map(\.row)
    return lines.joined(separator: "\n") + "\n"
  }
}

/// Times of one case.
struct CaseResult: Codable {
  var name: String
  var title: String
  var seconds: [Double] = []
  /// What all threads of this side worked, round by round.
  var processorSeconds: [Double] = []
  /// Multiplications and additions of products, as this side did them in a round.
  var operations = 0
  /// In what numbers its products were.
  var precision = ""
  var theirs: [String: [Double]] = [:]
  var memory = 0
  var bestWay = ""
  /// The losses, step after step, of this side and of each of the other's ways.
  var losses: [Double] = []
  var theirLosses: [String: [Double]] = [:]
  /// The largest difference between two losses of one step, as a share of those above one.
  var difference = 0.0
  var agrees = false
  /// Of the run's best matrix products.
  var share = 0.0
  var goals: [String: Double] = [:]

  init(_ item: BenchCase) {
    name = item.name
    title = item.title
    goals["published"] = item.goal.published
    goals["best"] = item.goal.best
  }

  var median: Double { Self.median(seconds) }
  var gigaflops: Double { Double(operations) / median * 1e-9 }
  var isHalf: Bool { precision == TowerPrecision.bf16.rawValue }
  /// How many cores worked, on average.
  var busyCores: Double { Self.median(zip(processorSeconds, seconds).map { $0 / $1 }) }

  /// The ratios of the rounds: median, smallest and largest.
  func ratio(_ way: String) -> (median: Double, low: Double, high: Double)? {
    guard let theirs = theirs[way], !theirs.isEmpty else { return nil }
    let ratios = zip(theirs, seconds).map { $0 / $1 }
    return (Self.median(ratios), ratios.min() ?? 0, ratios.max() ?? 0)
  }

  var line: String {
    func side(_ way: String) -> String {
      guard let ratio = ratio(way), let theirs = theirs[way] else { return "–" }
      let goal = goals[way].map { String(format: ", goal %g", $0) } ?? ""
      return String(
        format: "%@ (%.1f×, %.1f to %.1f%@)", Self.duration(Self.median(theirs)), ratio.median, ratio.low, ratio.high,
        goal)
    }
    let shown = name.padding(toLength: max(14, name.count), withPad: " ", startingAt: 0)
    return "\(shown)\(Self.duration(median))  published \(side("published"))  best \(side("best"))  "
      + String(
        format: "%.0f GFLOP/s, %.0f %% of the peak, %.1f cores busy, %.0f MiB, losses within %.0e", gigaflops,
        100 * share, busyCores, Double(memory) / 1_048_576, difference) + (agrees ? "" : "  DISAGREE")
  }

  var row: String {
    func cell(_ way: String) -> String {
      guard let ratio = ratio(way), let theirs = theirs[way] else { return "– | –" }
      let goal = goals[way].map { String(format: " (goal %g)", $0) } ?? ""
      return Self.duration(Self.median(theirs))
        + String(format: " | **%.1f×** %.1f–%.1f%@", ratio.median, ratio.low, ratio.high, goal)
    }
    return "| \(title) | \(Self.duration(median)) | \(cell("published")) | \(cell("best")) | "
      + String(
        format: "%.0f MiB | %.0f | %.0f %% | %.1f |", Double(memory) / 1_048_576, gigaflops, 100 * share, busyCores)
  }

  private static func duration(_ seconds: Double) -> String {
    seconds < 1 ? String(format: "%.0f ms", 1000 * seconds) : String(format: "%.2f s", seconds)
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
