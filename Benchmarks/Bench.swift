import ArgumentParser
import BanyanFoundation
import BanyanTensor
import Foundation

/// Times Banyan against PyTorch with the modules of `transformers`, both sides in turn in one run.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "banyan-bench",
    abstract: "Times Banyan against PyTorch with transformers: same weights, inputs, threads, one run.",
    discussion: """
      Both sides stay loaded and take steps in turn, A B C A B C …; every round gives one ratio, so that a machine whose
      speed drifts does not decide. The losses of both sides must agree in every round.

      published  what the published implementations do: texts at all positions, frozen image features in every step
      best       texts cut behind the longest one, frozen image features kept; with torch.compile where that is faster

        banyan-bench --quick
        banyan-bench --cases coop-65,mmap-16 --pairs 9
        banyan-bench --record bench.json --markdown Documentation/Performance-table.md
      """)

  @Option(help: "Python with torch and transformers.") var python = ".deps/venv/bin/python"
  @Option(help: "Patch size of the image tower: 16 or 32.") var patch = 16
  @Option(help: "Timed rounds after a warm-up.") var pairs = 5
  @Option(help: "Threads of both sides (default: all cores).") var threads: Int?
  @Option(help: "These cases only, separated by commas.") var cases: String?
  @Option(help: "Write the record here.", completion: .file()) var record: String?
  @Flag(help: "Go on with --record: cases that it has are not run again.") var resume = false
  @Option(help: "Write the table as Markdown here.", completion: .file()) var markdown: String?
  @Flag(help: "The small image tower (patch 32), two rounds, the quicker cases: a few minutes.") var quick = false
  @Flag(help: "Without torch.compile.") var noCompile = false
  @Flag(help: "This side alone, for profilers.") var alone = false
  @Flag(help: "How cost grows with classes, tasks, shots, the tree's depth and pictures' size; this side alone.")
  var growth = false
  @Flag(help: "List the cases and stop.") var list = false

  static func main() {
    WaitingThreads.spinShortly()
    Engine.keepFreedMemory()
    main(nil)
  }

  func run() throws {
    let all = BenchCase.all
    if list {
      for item in all { show("\(item.name.padding(toLength: 20, withPad: " ", startingAt: 0))\(item.title)") }
      return
    }
    let chosen = try chosen(all)
    if let threads { try Engine.setThreads(threads) }
    let rig = try Rig(patch: quick ? 32 : patch)
    defer { rig.remove() }
    if growth { return try measureGrowth(rig) }
    let newPeer = { try Peer(python: python, script: Rig.script, log: rig.folder.appending(path: "peer.log")) }
    let peer = try alone ? nil : newPeer()
    defer { peer?.stop() }
    try peer?.load(rig.checkpoint, threads: Engine.threads)
    var peak = try MatrixPeak.measured()
    peak.sustained = try MatrixPeak.sustained(seconds: 10)
    var record = BenchRecord(rig: rig, peer: peer?.version ?? "nothing", peak: peak)
    show(record.heading)
    if resume { try record.goOn(with: self.record) }
    for item in chosen where !record.has(item) {
      // The other side's products are emulated then: a round takes minutes and says nothing.
      if item.wantsBFloat16Units, cases == nil, !peak.hasBFloat16Units {
        show("\(item.name): left out, the processor has no units for bf16; --cases \(item.name) runs it")
        continue
      }
      let runner = CaseRunner(
        rig: rig, peer: peer, newPeer: newPeer, pairs: quick ? 2 : pairs, compiles: !noCompile && !quick)
      let peak = try MatrixPeak.measured(tries: 4)
      record.add(try runner.run(item), peak: peak)
      for result in record.cases.suffix(1) { show(result.line) }
      // After every case: hours of work are not lost with the last one.
      if let path = self.record { try JSONDocument.write(record, to: URL(fileURLWithPath: path)) }
      if let path = markdown { try AtomicFile.write(Data(record.markdown.utf8), to: URL(fileURLWithPath: path)) }
    }
    guard record.cases.allSatisfy(\.agrees) else {
      throw BanyanError(.failed, at: "losses", "the two sides disagree in a case marked above")
    }
  }

  private func measureGrowth(_ rig: Rig) throws {
    let found = try Growth(rig, show: show)
    if let path = record { try JSONDocument.write(found, to: URL(fileURLWithPath: path)) }
    if let path = markdown { try AtomicFile.write(Data(found.markdown.utf8), to: URL(fileURLWithPath: path)) }
  }

  /// At once: a run that is stopped has said what it found.
  private func show(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

  private func chosen(_ all: [BenchCase]) throws -> [BenchCase] {
    guard let cases else { return all.filter { !quick || $0.isQuick } }
    return try cases.split(separator: ",").map { name in
      guard let item = all.first(where: { $0.name == name }) else {
        throw ValidationError(
          "There is no case \(name). \(NearNames.remedy(for: String(name), among: all.map(\.name)))")
      }
      return item
    }
  }
}
