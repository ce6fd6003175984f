import BanyanFoundation
import BanyanService
import Foundation
import Testing

/// What is promised of waiting, in time that is made up.
struct WaitForecastTests {
  private typealias Forecast = WaitForecast<String>

  private let start = ContinuousClock.now

  private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  /// A tower that passes ten pictures a second.
  private func steady() -> Forecast {
    var forecast = Forecast(latency: 6, batchSize: 8)
    forecast.measured("a", passes: 8, seconds: 0.8)
    return forecast
  }

  private func work(_ pictures: Int, _ passes: [String: Int] = ["a": 1]) -> Forecast.Work {
    .init(pictures, passes: passes)
  }

  /// The forecast itself: what is promised without a margin.
  private func seconds(_ forecast: Forecast, _ own: Forecast.Work, behind waiting: Forecast.Work, at time: Double = 0)
    -> Double
  {
    // When half of what may wait, two of six seconds, is through.
    forecast.pause(after: forecast.promise(for: own, behind: waiting, at: at(time))) + 6 / forecast.margin(at: at(time))
      / 2
  }

  @Test func `what waits, the picture itself and a batch must pass`() {
    let forecast = steady()
    #expect(forecast.mostAtOnce("a", at: start) == 8)
    #expect(abs(seconds(forecast, work(2), behind: work(20)) - 3) < 1e-12)
    // Half as long again is kept free: four of the six seconds.
    #expect(forecast.isTimely(forecast.promise(for: work(1), behind: work(30), at: start)))
    #expect(!forecast.isTimely(forecast.promise(for: work(3), behind: work(30), at: start)))
    #expect(forecast.pause(after: forecast.promise(for: work(1), behind: Forecast.Work(), at: start)) == 0)
  }

  @Test func `work adds up and is taken away`() {
    let both = work(2) + work(3, ["a": 1, "b": 4])
    #expect(both.pictures == 5 && both - work(3, ["a": 1, "b": 4]) + work(0, ["b": 1]) == work(2) + work(0, ["b": 1]))
  }

  @Test func `every tower's passes take their own time`() {
    var forecast = steady()
    forecast.measured("b", passes: 1, seconds: 0.5)
    // A third of four seconds.
    #expect(forecast.mostAtOnce("b", at: start) == 2 && forecast.mostAtOnce("a", at: start) == 8)
    // Ten through a, four through b; the last batch is one of a.
    #expect(abs(seconds(forecast, work(2), behind: work(4, ["a": 2, "b": 1])) - (1 + 2 + 0.8)) < 1e-12)
    // One that goes through b itself ends in a batch of b.
    #expect(abs(seconds(forecast, work(2, ["b": 2]), behind: work(10)) - (2 + 1 + 1)) < 1e-12)
    // Through both it waits for both.
    #expect(abs(seconds(forecast, work(1, ["a": 1, "b": 1]), behind: work(9)) - (1 + 0.5 + 0.8 + 1)) < 1e-12)
    #expect(forecast.secondsPerPass == 0.5 && forecast.knows("b") && !forecast.knows("c"))
    forecast.forget(allBut: ["a", "c"])
    #expect(forecast.secondsPerPass == 0.1 && !forecast.knows("b"))
    // What is still under way in a forgotten tower teaches nothing.
    forecast.begins("b", pictures: 2, passes: 2, at: start)
    forecast.ends(after: 3)
    #expect(!forecast.knows("b"))
  }

  @Test func `where decoding is slower it sets the pace`() {
    var forecast = Forecast(latency: 6, batchSize: 8, decoders: 2)
    forecast.measured("a", passes: 8, seconds: 0.8)
    let usual = seconds(forecast, work(1), behind: work(29))
    forecast.decoded(seconds: 0.1)
    #expect(seconds(forecast, work(1), behind: work(29)) == usual)
    // Two threads, half a second a picture.
    for _ in 0..<200 { forecast.decoded(seconds: 0.5) }
    #expect(abs(seconds(forecast, work(1), behind: work(29)) - (30 * 0.25 + 0.8)) < 1e-6)
  }

  @Test func `large pictures take the time of their pixels`() {
    var forecast = Forecast(latency: 6, batchSize: 8, decoders: 2)
    forecast.measured("a", passes: 8, seconds: 0.8)
    let large = Forecast.Work(20, passes: ["a": 1], pixels: [Int](repeating: 50_000_000, count: 20))
    // Nothing is known of decoding yet.
    #expect(abs(seconds(forecast, large, behind: work(0)) - (2 + 0.8)) < 1e-9)
    #expect(abs(forecast.leastSeconds(for: large) - 2) < 1e-9)
    forecast.decoded(seconds: 0.5, pixels: 50_000_000)
    #expect(abs(seconds(forecast, large, behind: work(0)) - (20 * 0.5 / 2 + 0.8)) < 1e-9)
    #expect(abs(forecast.leastSeconds(for: large) - 5) < 1e-9)
    // Those that wait come first; small ones do not count as large, nor does a slow one among them say anything of large ones.
    #expect(abs(seconds(forecast, work(1), behind: large) - (20 * 0.5 / 2 + 0.8)) < 1e-9)
    let small = Forecast.Work(20, passes: ["a": 1], pixels: [Int](repeating: 1000, count: 20))
    #expect(small == work(20))
    forecast.decoded(seconds: 0.04, pixels: 1000)
    #expect(abs(seconds(forecast, small, behind: work(0)) - (2 + 0.8)) < 1e-9)
    #expect(abs(seconds(forecast, large, behind: work(0)) - (20 * (0.5 + 0.04) / 2 + 0.8)) < 1e-9)
    // Each tower decodes for itself.
    forecast.measured("b", passes: 8, seconds: 0.8)
    let both = Forecast.Work(10, passes: ["a": 1, "b": 1], pixels: [Int](repeating: 50_000_000, count: 10))
    #expect(abs(forecast.leastSeconds(for: both) - 5) < 1e-9)
    // A slow hour is no reason to call a request too large.
    for _ in 0..<50 { forecast.decoded(seconds: 2, pixels: 50_000_000) }
    #expect(abs(forecast.leastSeconds(for: large) - 5) < 1e-9 && seconds(forecast, large, behind: work(0)) > 15)
    #expect(large - large == work(0))
  }

  @Test func `a tower that is not known is taken to be as slow as the slowest`() {
    var forecast = steady()
    forecast.measured("b", passes: 1, seconds: 0.5)
    for other in ["b", "new"] {
      #expect(forecast.mostAtOnce(other, at: start) == 2)
      #expect(abs(seconds(forecast, work(2, [other: 2]), behind: work(10)) - (2 + 1 + 1)) < 1e-12, "\(other)")
    }
  }

  @Test func `a lone picture says little of full batches`() {
    var forecast = steady()
    forecast.begins("a", pictures: 1, passes: 1, at: start)
    forecast.ends(after: 0.4)
    #expect(abs((forecast.secondsPerPass ?? 0) - (0.1 + 0.3 / 8 * 0.3)) < 1e-12)
    for batch in 0..<200 {
      forecast.begins("a", pictures: 8, passes: 8, at: at(Double(batch)))
      forecast.ends(after: 0.16)
    }
    #expect(abs((forecast.secondsPerPass ?? 0) - 0.02) < 1e-9)
  }

  @Test func `a batch that is late delays what comes`() {
    var forecast = steady()
    let usual = seconds(forecast, work(1), behind: work(29))
    forecast.begins("a", pictures: 8, passes: 8, at: start)
    #expect(seconds(forecast, work(1), behind: work(29), at: 0.7) == usual)
    #expect(abs(seconds(forecast, work(1), behind: work(29), at: 2.8) - usual - 2) < 1e-9)
    // One that failed says nothing, neither of the time nor of the pace.
    forecast.fails()
    forecast.ends(after: 9)
    #expect(seconds(forecast, work(1), behind: work(29), at: 9) == usual)
  }

  @Test func `another tower's first passes stand before everything`() {
    var forecast = steady()
    let before = seconds(forecast, work(2), behind: work(20))
    #expect(forecast.seconds(of: 10, through: "new") == 1)
    forecast.warms(for: 2, at: at(0))
    #expect(abs(seconds(forecast, work(2), behind: work(20)) - before - 2) < 1e-12)
    #expect(abs(seconds(forecast, work(2), behind: work(20), at: 1.5) - before - 0.5) < 1e-12)
    #expect(abs(seconds(forecast, work(2), behind: work(20), at: 3) - before) < 1e-12)
    // Two of them: the first that is through does not speak for the other.
    forecast.warms(for: 2, at: at(0))
    forecast.hasWarmed()
    #expect(abs(seconds(forecast, work(2), behind: work(20)) - before - 2) < 1e-12)
    // A batch that waits behind them is late for them, and not once more.
    forecast.begins("a", pictures: 8, passes: 8, at: at(0))
    #expect(abs(seconds(forecast, work(2), behind: work(20), at: 1.5) - before - 0.7) < 1e-12)
    forecast.ends(after: 0.8)
    forecast.hasWarmed()
    #expect(abs(seconds(forecast, work(2), behind: work(20)) - before) < 1e-12)
  }

  @Test func `a bad hour does not make a request too large`() {
    var forecast = steady()
    #expect(abs(forecast.leastSeconds(for: work(20)) - 2) < 1e-12)
    for _ in 0..<20 {
      forecast.begins("a", pictures: 8, passes: 8, at: start)
      forecast.ends(after: 8)
    }
    forecast.decoded(seconds: 30)
    #expect(seconds(forecast, work(20), behind: work(0)) > 15)
    #expect(abs(forecast.leastSeconds(for: work(20)) - 2) < 1e-12)
    // Faster than ever is the new measure.
    forecast.begins("a", pictures: 8, passes: 8, at: start)
    forecast.ends(after: 0.4)
    #expect(abs(forecast.leastSeconds(for: work(20)) - 1) < 1e-12)
  }

  @Test func `a broken promise widens the margin for a while`() {
    var forecast = steady()
    let promise = forecast.promise(for: work(1), behind: work(21), at: start)
    forecast.kept(promise, at: at(3))
    #expect(forecast.margin(at: at(3)) == 1.5)
    forecast.kept(promise, at: at(6))
    #expect(abs(forecast.margin(at: at(6)) - 2) < 1e-12)
    #expect(abs(forecast.margin(at: at(126)) - 1.75) < 1e-12)
    #expect(forecast.mostAtOnce("a", at: at(6)) == 8)
    forecast.kept(promise, at: at(1000))
    #expect(forecast.margin(at: at(1000)) == 4)
    #expect(forecast.mostAtOnce("a", at: at(1000)) == 5)
    // Where there was time enough, twice a short forecast is no broken promise.
    var idle = Forecast(latency: 6, batchSize: 1)
    idle.measured("a", passes: 1, seconds: 0.05)
    idle.kept(idle.promise(for: work(1), behind: Forecast.Work(), at: start), at: at(1))
    #expect(idle.margin(at: at(1)) == 1.5)
  }

  /// What becomes of a service at twice its load, whose tower takes a multiple of its time for seconds now and then.
  private func overloaded(_ margins: ClosedRange<Double>, seed: UInt64) -> (late: Double, answered: Int) {
    let (latency, pace) = (5.0, 0.05)
    var chance = SeededGenerator(seed: seed, label: "overload")
    var forecast = Forecast(latency: latency, batchSize: 32, margins: margins)
    forecast.measured("a", passes: 32, seconds: 32 * pace)
    var waiting: [(arrived: Double, promise: Forecast.Promise)] = []
    var batch: [(arrived: Double, promise: Forecast.Promise)] = []
    var (now, arrival, begun, end) = (0.0, 0.0, 0.0, Double.infinity)
    // Twice a minute, whatever is going on.
    var stalls: [ClosedRange<Double>] = []
    var time = 0.0
    while time < 1200 {
      time -= 30 * log(1 - chance.uniform())
      stalls.append(time...(time + 10 * chance.uniform()))
    }
    var (answered, late) = (0, 0)
    while now < 1200 {
      if arrival < end {
        now = arrival
        arrival = now - log(1 - chance.uniform()) * pace / 2
        let reserved = waiting.count + batch.count
        let promise = forecast.promise(for: work(1), behind: work(reserved), at: at(now))
        if reserved == 0 || forecast.isTimely(promise) { waiting.append((now, promise)) }
      } else {
        (now, end) = (end, .infinity)
        forecast.ends(after: now - begun)
        for job in batch {
          forecast.kept(job.promise, at: at(now))
          late += now - job.arrived > latency ? 1 : 0
        }
        answered += batch.count
        batch = []
      }
      if batch.isEmpty, !waiting.isEmpty {
        batch = Array(waiting.prefix(forecast.mostAtOnce("a", at: at(now))))
        waiting.removeFirst(batch.count)
        begun = now
        forecast.begins("a", pictures: batch.count, passes: batch.count, at: at(now))
        let slowness = (0.8 + 0.4 * chance.uniform()) * (stalls.contains { $0.contains(now) } ? 2.5 : 1)
        end = now + pace * Double(batch.count) * slowness
      }
    }
    return (Double(late) / Double(answered), answered)
  }

  @Test(arguments: [UInt64](1...3))
  func `what is taken is answered in time where the machine stalls`(seed: UInt64) {
    let learning = overloaded(1.5...4, seed: seed)
    let trusting = overloaded(1...1, seed: seed)
    #expect(trusting.late > 0.015)
    #expect(learning.late < 0.004)
    // And hardly anybody more is turned away for it.
    #expect(Double(learning.answered) > 0.92 * Double(trusting.answered))
  }
}
