import Foundation

/// How long pictures will take that are taken now, by how long others took.
///
/// Work is counted in passes through a tower. What waits is drained at the towers' paces, or at that of decoding where this is
/// slower; a last batch, filled up by others, comes on top:
///
///     seconds = max(Σ_t (waiting_t + own_t) · pace_t, decoding) + Σ_t batch_t · pace_t + what the running batch is late
///
/// Decoding is so much for every picture, and for a large one so much for every pixel beside it.
/// It is kept free `margin` times over: pictures are taken where `margin · seconds ≤ latency`. The margin grows to
/// what pictures took beyond their forecast, and is forgotten slowly.
package struct WaitForecast<Tower: Hashable & Sendable>: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// Pictures, with their passes through each tower.
  package struct Work: Sendable, Equatable {
    /// How many pictures.
    package private(set) var pictures = 0
    /// How often a picture is decoded: once for every tower.
    fileprivate private(set) var decodings = 0
    /// The pixels of those that are large, as often.
    fileprivate private(set) var pixels = 0
    fileprivate private(set) var passes: [Tower: Int] = [:]

    /// No work.
    package init() {}

    /// Pictures with so many passes each, and the pixels of each; of small ones they do not matter.
    package init(_ pictures: Int, passes: [Tower: Int], pixels: [Int] = []) {
      self.pictures = pictures
      decodings = pictures * passes.count
      self.pixels = pixels.filter { WaitForecast.isLarge($0) }.reduce(0, +) * passes.count
      self.passes = passes.mapValues { $0 * pictures }
    }

    package static func + (a: Work, b: Work) -> Work {
      var sum = a
      sum.pictures += b.pictures
      sum.decodings += b.decodings
      sum.pixels += b.pixels
      sum.passes.merge(b.passes, uniquingKeysWith: +)
      return sum
    }

    package static func - (a: Work, b: Work) -> Work {
      var rest = a
      rest.pictures -= b.pictures
      rest.decodings -= b.decodings
      rest.pixels -= b.pixels
      rest.passes.merge(b.passes.mapValues { -$0 }, uniquingKeysWith: +)
      return rest
    }
  }

  /// What a request was told when it was taken.
  package struct Promise: Sendable {
    /// What it is about.
    package let work: Work
    fileprivate let seconds: Double
    fileprivate let since: Instant
  }

  /// Seconds in which half of what was learnt above the least margin is forgotten.
  private static var halfLife: Double { 120 }

  private let latency: Double
  private let batchSize: Int
  private let decoders: Int
  private let margins: ClosedRange<Double>
  private var paces: [Tower: Double] = [:]
  /// How long a thread decodes a picture that is not large.
  private var decoding: Double?
  /// How long a thread decodes a pixel of a large one, of late and at best.
  private var decodingPixel: (latest: Double, best: Double)?
  private var running: (tower: Tower, passes: Int, share: Double, since: Instant)?
  private var learnt: (margin: Double, at: Instant)?
  /// The best pace of each tower that was seen.
  private var bestPaces: [Tower: Double] = [:]
  /// What keeps the towers from answering: another's first passes; how many of them are under way.
  private var warming: (seconds: Double, since: Instant, count: Int)?

  /// A forecast of nothing yet.
  ///
  /// - Parameters:
  ///   - latency: Seconds that are promised.
  ///   - batchSize: The most pictures of a batch.
  ///   - decoders: How many threads decode.
  ///   - margins: Cores are shared, hence half as long again as the forecast at least; beyond the greatest, a single
  ///     stall would leave no place for anybody.
  package init(latency: Double, batchSize: Int, decoders: Int = 1, margins: ClosedRange<Double> = 1.5...4) {
    (self.latency, self.batchSize, self.decoders, self.margins) = (latency, batchSize, decoders, margins)
  }

  /// How long a pass takes in the slowest tower; `nil` before the first.
  package var secondsPerPass: Double? { paces.values.max() }

  /// What a pass is taken to last where a tower is not known: as in the slowest of the others.
  private func pace(_ tower: Tower) -> Double { paces[tower] ?? secondsPerPass ?? 0 }

  /// Whether a tower's pace is known.
  package func knows(_ tower: Tower) -> Bool { paces[tower] != nil }

  /// How many times the forecast is kept free.
  package func margin(at now: Instant) -> Double {
    guard let learnt else { return margins.lowerBound }
    let age = learnt.at.duration(to: now).seconds
    return margins.lowerBound + (learnt.margin - margins.lowerBound) * exp2(-age / Self.halfLife)
  }

  /// How many passes a batch takes: no more than last a third of the time that is left beside the margin.
  ///
  /// - Parameter passes: Of one picture.
  package func mostAtOnce(_ tower: Tower, passes: Int = 1, at now: Instant) -> Int {
    let fitting = latency / margin(at: now) / 3 / max(pace(tower), 1e-9)
    return max(passes, Int(min(Double(batchSize * passes), fitting)))
  }

  /// How long `work` takes at least, on a machine that does nothing else: whoever asks for more than that in a given time asks in vain.
  package func leastSeconds(for work: Work) -> Double {
    max(
      work.passes.reduce(0) { $0 + Double($1.value) * (bestPaces[$1.key] ?? 0) },
      Double(work.pixels) * (decodingPixel?.best ?? 0) / Double(decoders))
  }

  /// How long `work` takes where nothing is before it.
  private func seconds(for work: Work) -> Double {
    let passing = work.passes.reduce(0) { $0 + Double($1.value) * pace($1.key) }
    let decoding =
      Double(work.decodings) * (decoding ?? 0) + Double(work.pixels) * (decodingPixel?.latest ?? 0)
    return max(passing, decoding / Double(decoders))
  }

  /// What is promised to `work` that comes behind other work.
  package func promise(for work: Work, behind waiting: Work, at now: Instant) -> Promise {
    // The last batch of every tower must be through too, and others may fill it up.
    let last = work.passes.reduce(0) { sum, tower in
      let passes = tower.value / max(1, work.pictures)
      return sum + Double(mostAtOnce(tower.key, passes: passes, at: now)) * pace(tower.key)
    }
    var late = 0.0
    if let running, let pace = paces[running.tower] {
      late = max(0, running.since.duration(to: now).seconds - pace * Double(running.passes))
    }
    // What waits behind a tower's first passes is late for them, and not once more.
    if let warming { late = max(late, warming.seconds - warming.since.duration(to: now).seconds) }
    return Promise(work: work, seconds: seconds(for: waiting + work) + last + late, since: now)
  }

  /// Whether it may be given.
  package func isTimely(_ promise: Promise) -> Bool {
    promise.seconds * margin(at: promise.since) <= latency
  }

  /// Seconds until pictures that are refused now should come again: when half of those that wait are through.
  package func pause(after promise: Promise) -> Double {
    max(0, promise.seconds - latency / margin(at: promise.since) / 2)
  }

  /// A tower's first passes begin, which stand before all others; they will take so many seconds.
  package mutating func warms(for seconds: Double, at now: Instant) {
    warming = (seconds, now, (warming?.count ?? 0) + 1)
  }

  /// They are through, or have failed.
  package mutating func hasWarmed() {
    warming?.count -= 1
    if warming?.count == 0 { warming = nil }
  }

  /// How long so many passes will take; where the tower is not known, as long as in the slowest of the others.
  package func seconds(of passes: Int, through tower: Tower) -> Double { pace(tower) * Double(passes) }

  /// Sets a tower's pace by a first batch.
  package mutating func measured(_ tower: Tower, passes: Int, seconds: Double) {
    paces[tower] = seconds / Double(passes)
    bestPaces[tower] = min(bestPaces[tower] ?? .infinity, seconds / Double(passes))
  }

  /// Forgets towers that are no longer served.
  package mutating func forget(allBut towers: Set<Tower>) {
    paces = paces.filter { towers.contains($0.key) }
    bestPaces = bestPaces.filter { towers.contains($0.key) }
  }

  /// Whether a picture of so many pixels takes as long as these say.
  private static func isLarge(_ pixels: Int) -> Bool { pixels > 1_000_000 }

  /// A picture of so many pixels was decoded.
  package mutating func decoded(seconds: Double, pixels: Int = 0) {
    guard Self.isLarge(pixels) else {
      decoding = decoding.map { $0 + 0.1 * (seconds - $0) } ?? seconds
      return
    }
    let found = seconds / Double(pixels)
    decodingPixel =
      decodingPixel.map { ($0.latest + 0.1 * (found - $0.latest), min($0.best, found)) } ?? (found, found)
  }

  /// A batch goes into its tower.
  package mutating func begins(_ tower: Tower, pictures: Int, passes: Int, at now: Instant) {
    // A lone picture says little about a full batch, and what is promised is promised of full ones.
    let full = mostAtOnce(tower, passes: passes / max(1, pictures), at: now)
    let share = min(1, Double(passes) / Double(full))
    running = (tower, passes, share, now)
  }

  /// It is through.
  ///
  /// - Parameter seconds: How long the tower took; what it waited for others in the tower is none of its pace.
  package mutating func ends(after seconds: Double) {
    guard let batch = running else { return }
    running = nil
    guard let pace = paces[batch.tower] else { return }
    let latest = seconds / Double(batch.passes)
    bestPaces[batch.tower] = min(bestPaces[batch.tower] ?? latest, latest)
    paces[batch.tower] = pace + 0.3 * batch.share * (latest - pace)
  }

  /// It failed, which says nothing about time.
  package mutating func fails() { running = nil }

  /// Pictures that were promised an answer have it.
  package mutating func kept(_ promise: Promise, at now: Instant) {
    let taken = promise.since.duration(to: now).seconds
    // Where there was time enough, a few milliseconds beside a short forecast say nothing.
    guard taken > latency / 4 else { return }
    let ratio = taken / max(promise.seconds, 1e-9)
    learnt = (max(margin(at: now), min(margins.upperBound, ratio)), now)
  }
}
