import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTraining
import Foundation

/// Takes both sides through a case in turn.
struct CaseRunner {
  let rig: Rig
  /// The other side; `nil` leaves this one alone.
  let peer: Peer?
  /// Starts one, which draws the picture files where this side is alone.
  let newPeer: () throws -> Peer
  let pairs: Int
  let compiles: Bool

  func run(_ item: BenchCase) throws -> CaseResult {
    note("\(item.name): \(item.title)")
    let side = try item.make(rig.afresh())
    if let folder = side.request["folder"]?.stringValue {
      let artist = try peer ?? newPeer()
      defer { if peer == nil { artist.stop() } }
      try artist.draw(side.request["count"]?.intValue ?? 0, into: URL(fileURLWithPath: folder))
    }
    if let other = side.checkpoint { try peer?.load(other, threads: Engine.threads) }
    defer { if side.checkpoint != nil { try? peer?.load(rig.checkpoint, threads: Engine.threads) } }
    try peer?.begin(side.request)
    var result = CaseResult(item)
    var ways = peer == nil ? [] : side.ways
    // Every way has parameters of its own; its n-th loss belongs to this side's n-th.
    var (losses, theirLosses) = ([Double](), [Peer.Way: [Double]]())
    func step(_ way: Peer.Way) throws -> Peer.Step {
      let found = try peerStep(way)
      theirLosses[way, default: []] += found.losses
      return found
    }
    // Warm-up of all sides; the other side's best is the faster of plain and compiled.
    losses += try timed(side).losses
    for way in ways { _ = try step(way) }
    if compiles, peer != nil, side.compiles, ways.contains(.best) { ways = try withFaster(ways, step) }
    Stopwatch.resetPeakMemory()
    for round in 0..<pairs {
      let own = try timed(side)
      losses += own.losses
      result.seconds.append(own.seconds)
      result.processorSeconds.append(own.processor)
      result.operations = own.operations
      for way in ways {
        let theirs = try step(way)
        result.theirs[way == .published ? "published" : "best", default: []].append(theirs.seconds)
      }
      note("  \(item.name) round \(round + 1) of \(pairs)", isLast: round + 1 == pairs)
    }
    result.memory = Stopwatch.peakMemory
    result.bestWay = ways.contains(.compiled) ? "torch.compile" : "eager"
    for theirs in theirLosses.values {
      for (place, (their, own)) in zip(theirs, losses).enumerated() {
        if let compared = side.compared, place % compared.of >= compared.first { continue }
        let difference = abs(their - own) / max(1, abs(own))
        result.difference = max(result.difference, difference.isFinite ? difference : Self.none)
      }
    }
    // Every way but one that cannot hold its work at once says something to each of its turns.
    let silent = ways.filter { theirLosses[$0]?.isEmpty ?? true }
    if losses.isEmpty || !losses.allSatisfy(\.isFinite) || silent.contains(where: { $0 != .published }) {
      result.difference = Self.none
    }
    result.losses = losses.allSatisfy(\.isFinite) ? losses : []
    result.theirLosses = Dictionary(uniqueKeysWithValues: theirLosses.map { ($0.key.rawValue, $0.value) })
    result.agrees = result.difference <= side.tolerance
    result.precision = side.precision.rawValue
    return result
  }

  /// The difference of what cannot be compared; JSON has no infinity.
  private static let none = Double.greatestFiniteMagnitude

  private func withFaster(_ ways: [Peer.Way], _ step: (Peer.Way) throws -> Peer.Step) throws -> [Peer.Way] {
    // Its first turn compiles.
    do { _ = try step(.compiled) } catch {
      note("  torch.compile fails, and is left out: \(error)")
      return ways
    }
    var (plain, compiled) = ([Double](), [Double]())
    for _ in 0..<3 {
      plain.append(try step(.best).seconds)
      compiled.append(try step(.compiled).seconds)
    }
    return CaseResult.median(compiled) < CaseResult.median(plain) ? ways.map { $0 == .best ? .compiled : $0 } : ways
  }

  private func peerStep(_ way: Peer.Way) throws -> Peer.Step {
    guard let peer else { throw BanyanError(.failed, at: "the other side", "is not there") }
    return try peer.step(way)
  }

  private struct Turn {
    var seconds, processor: Double
    var operations: Int
    var losses: [Double]
  }

  private func timed(_ side: BenchSide) throws -> Turn {
    // They have slept while the other side worked.
    if peer != nil { try MatrixPeak.wakeCores() }
    let (operations, processor) = (Engine.operations, Self.processorSeconds)
    let start = ContinuousClock.now
    let losses = try side.step()
    return Turn(
      seconds: (ContinuousClock.now - start) / .seconds(1), processor: Self.processorSeconds - processor,
      operations: Engine.operations - operations, losses: losses)
  }

  /// What all threads of this program have worked so far, those that wait in a loop among them.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private func note(_ text: String, isLast: Bool = false) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }
}
