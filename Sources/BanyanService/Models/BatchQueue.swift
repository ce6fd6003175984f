import BanyanFoundation
import BanyanTensor
import BanyanTraining
import HTTPTypes
import Logging
import Metrics
import NIOPosix
import ServiceLifecycle

/// Gathers pictures of many requests into batches for the image towers, under bounds on how many wait and for how long.
///
/// While a batch is in the tower the next one gathers, so that batches grow with the load and a lone picture waits for nobody
/// but ``ServiceSettings/gathering``.
actor BatchQueue: Service {
  typealias Forecast = WaitForecast<PictureClassifier.Tower>

  /// A picture on its way, with the tasks that are asked of it; all of one tower.
  private struct Job {
    var planes: PictureClassifier.Planes
    var runs: ServedRuns
    var places: [Int]
    var tower: PictureClassifier.Tower
    /// Through the tower: one for the feature, and one for each task that prompts it.
    var passes: Int
    var arrived: ContinuousClock.Instant
    var answer: CheckedContinuation<Answer, any Error>
  }

  /// What came out for one picture.
  struct Answer: Sendable {
    /// For each task that was asked, the probabilities of its classes.
    var probabilities: [[Double]]
    /// The picture's image feature.
    var feature: [Float]
  }

  private let library: RunLibrary
  private let settings: ServiceSettings
  private let threads: Int
  private let logger: Logger
  private var waiting: [Job] = []
  /// Whose places are taken, pictures that are still being decoded among them.
  private var reserved = Forecast.Work()
  private var forecast: Forecast
  /// Whether a large picture was decoded since memory was given back.
  private var hasDecodedLarge = false
  private var isWarm = false
  private var isClosed = false
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation
  private let clock = ContinuousClock()
  private let tower = NIOThreadPool(numberOfThreads: 1)
  private let decoders: NIOThreadPool
  /// Apart, so that a long list of numbers does not stand before pictures that are taken.
  private let readers = NIOThreadPool(numberOfThreads: 2)

  /// A queue that is served by `run()`.
  ///
  /// - Parameters:
  ///   - library: The runs whose towers are warmed at the start.
  ///   - settings: Bounds.
  ///   - threads: Threads of one op in the tower.
  ///   - logger: Who is told of batches that failed.
  init(_ library: RunLibrary, settings: ServiceSettings, threads: Int, logger: Logger) {
    self.library = library
    (self.settings, self.threads, self.logger) = (settings, threads, logger)
    let decoding = max(1, threads)
    forecast = Forecast(latency: settings.latency.seconds, batchSize: settings.batchSize, decoders: decoding)
    (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    decoders = NIOThreadPool(numberOfThreads: decoding)
    for pool in [tower, decoders, readers] { pool.start() }
  }

  /// Whether a picture has been through every tower.
  var isReady: Bool { isWarm }

  /// Takes places for pictures before they are decoded.
  ///
  /// - Parameters:
  ///   - pixels: What the header of each announces.
  ///   - runs: Who is asked.
  ///   - places: Which tasks.
  /// - Returns: What is given back with them.
  /// - Throws: A ``ServiceError`` with status 429 where too many wait, or where they would wait for longer than is promised.
  func reserve(_ pixels: [Int], of runs: ServedRuns, places: [Int]) throws -> Forecast.Promise {
    let pictures = pixels.count
    guard isWarm, !isClosed else {
      throw ServiceError(
        .serviceUnavailable, isClosed ? "the service is shutting down" : "the service is not ready yet",
        headers: [.retryAfter: "1"])
    }
    let passes = runs.towers(places).map { (runs.classifier($0[0]).tower, runs.passes($0)) }
    let work = Forecast.Work(pictures, passes: Dictionary(uniqueKeysWithValues: passes), pixels: pixels)
    let promise = forecast.promise(for: work, behind: reserved, at: clock.now)
    // One request is taken where nobody waits whatever the margin, or a large one might never be; but none of many pictures that
    // would be late on its own even when the towers are at their fastest.
    let alone = forecast.leastSeconds(for: work)
    guard pictures == 1 || alone <= settings.latency.seconds else {
      throw ServiceError(
        .contentTooLarge,
        "\(pictures) pictures take about \(Int(alone.rounded(.up))) s here, and an answer is promised within "
          + "\(settings.latency.seconds) s; send fewer at once")
    }
    if reserved.pictures > 0 {
      guard reserved.pictures + pictures <= settings.queueLimit else {
        throw ServiceError.busy(
          "\(reserved.pictures) pictures wait; no more are taken for now", retryAfter: forecast.pause(after: promise))
      }
      guard forecast.isTimely(promise) else {
        throw ServiceError.busy(
          "\(pictures) more might wait for longer than \(settings.latency.seconds) s; they are not taken for now",
          retryAfter: forecast.pause(after: promise))
      }
    }
    reserved = reserved + work
    Gauge(label: "banyan_pictures_waiting").record(reserved.pictures)
    return promise
  }

  /// Gives places back.
  ///
  /// - Parameter isAnswered: Whether pictures went through a tower for them.
  func release(_ promise: Forecast.Promise, isAnswered: Bool) {
    reserved = reserved - promise.work
    if isAnswered { forecast.kept(promise, at: clock.now) }
    if reserved.pictures == 0, hasDecodedLarge {
      hasDecodedLarge = false
      readers.submit { if $0 == .active { Engine.giveBackFreedMemory() } }
    }
    Gauge(label: "banyan_pictures_waiting").record(reserved.pictures)
    Gauge(label: "banyan_latency_margin").record(forecast.margin(at: clock.now))
  }

  /// Decodes a picture of so many pixels beside the tower, on as many threads as there are cores.
  func decode<Value: Sendable>(pixels: Int, _ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    let clock = clock
    let (value, time) = try await decoders.runIfActive {
      let start = clock.now
      return (try body(), start.duration(to: clock.now))
    }
    forecast.decoded(seconds: time.seconds, pixels: pixels)
    return value
  }

  /// Pictures of more pixels than this leave memory behind that is worth giving back.
  static let largePicture = 16_000_000

  /// Takes note that a large picture was decoded: what it took is given back when nobody waits.
  func noteLargePicture() { hasDecodedLarge = true }

  /// Takes a body apart.
  nonisolated func read<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await readers.runIfActive(body)
  }

  /// What a picture is under tasks of one tower, when its batch has been through.
  func answer(_ planes: PictureClassifier.Planes, runs: ServedRuns, places: [Int]) async throws -> Answer {
    guard let first = places.first else { return Answer(probabilities: [], feature: []) }
    guard !isClosed else { throw ServiceError(.serviceUnavailable, "the service is shutting down") }
    let tower = runs.classifier(first).tower
    return try await withCheckedThrowingContinuation { continuation in
      waiting.append(
        Job(
          planes: planes, runs: runs, places: places, tower: tower, passes: runs.passes(places), arrived: clock.now,
          answer: continuation))
      signal.yield()
    }
  }

  /// Sends blank pictures through the towers of `runs`, so that the first client does not wait for memory to be found, runs
  /// that give no numbers are found out, and the paces of new towers are known.
  func prepare(_ runs: ServedRuns) async throws {
    for places in runs.towers(Array(runs.tasks.indices)) {
      let classifier = runs.classifier(places[0])
      let isKnown = forecast.knows(classifier.tower)
      let size = classifier.planeSize
      let passes = runs.passes(places)
      let blank = try classifier.planes([Float](repeating: 0, count: 3 * size.height * size.width))
      let clock = clock
      var found = forecast
      // A cold picture, a warm one, and as many as will ever pass at once, whatever batch size was asked for. Where a tower's pace
      // is known the first is enough: it goes through what other prompts bring along.
      for step in 0..<(isKnown ? 1 : 3) {
        let most = found.mostAtOnce(classifier.tower, passes: passes, at: clock.now)
        let count = step < 2 ? 1 : max(1, most / passes)
        let jobs = [PictureClassifier.Planes](repeating: blank, count: count)
        // The first of all finds memory, and takes about twice as long.
        let expected = found.seconds(of: count * passes, through: classifier.tower) * (step == 0 ? 2 : 1)
        forecast.warms(for: expected, at: clock.now)
        defer { forecast.hasWarmed() }
        let time = try await tower.runIfActive {
          let start = clock.now
          // A run that gives no numbers for a blank picture gives none for others.
          for answer in try Self.answers(jobs, jobs.map { _ in places }, runs) { _ = try answer.get() }
          return start.duration(to: clock.now)
        }
        found.measured(classifier.tower, passes: count * passes, seconds: time.seconds)
        if step == 2 { forecast.measured(classifier.tower, passes: count * passes, seconds: time.seconds) }
      }
    }
  }

  /// Forgets the paces of towers that are served no more.
  func forget(allBut runs: ServedRuns) {
    forecast.forget(allBut: Set(runs.towers(Array(runs.tasks.indices)).map { runs.classifier($0[0]).tower }))
  }

  private func warm() async throws {
    let (runs, threads) = (library.current, threads)
    try await tower.runIfActive { try Engine.setThreads(threads) }
    try await prepare(runs)
    isWarm = true
    logger.notice(
      "ready",
      metadata: [
        "tasks": "\(runs.tasks.count)", "threads": "\(Engine.threads)",
        "picturesPerSecond": "\((10 / max(forecast.secondsPerPass ?? 1, 1e-9)).rounded() / 10)",
      ])
  }

  /// Serves until it is told to stop, and then all that still waits.
  ///
  /// - Throws: What keeps a tower from working at all.
  func run() async throws {
    var failure: (any Error)?
    do {
      try await warm()
      await withGracefulShutdownHandler {
        for await _ in signals {
          while !waiting.isEmpty { await serveOneBatch() }
        }
        while !waiting.isEmpty { await serveOneBatch() }
      } onGracefulShutdown: {
        self.signal.finish()
      }
    } catch {
      failure = error
    }
    // However it ended, nobody waits for what will not come.
    isClosed = true
    for job in waiting {
      job.answer.resume(throwing: ServiceError(.serviceUnavailable, "the service is shutting down"))
    }
    waiting = []
    for pool in [tower, decoders, readers] { try? await pool.shutdownGracefully() }
    if let failure { throw failure }
  }

  private func serveOneBatch() async {
    if let first = waiting.first {
      let isFull =
        waiting.count >= settings.batchSize
        || waiting.reduce(0) { $0 + $1.passes } >= forecast.mostAtOnce(first.tower, passes: first.passes, at: clock.now)
      let rest = settings.gathering - first.arrived.duration(to: clock.now)
      if !isFull, rest > .zero { try? await clock.sleep(for: rest) }
    }
    guard let first = waiting.first else { return }
    // Pictures of one tower and of one state of the runs, in the order of their arrival.
    let most = forecast.mostAtOnce(first.tower, passes: first.passes, at: clock.now)
    var batch: [Job] = []
    var others: [Job] = []
    var passes = 0
    for job in waiting {
      let fits = job.tower == first.tower && job.runs.generation == first.runs.generation
      if fits, batch.isEmpty || batch.count < settings.batchSize && passes + job.passes <= most {
        batch.append(job)
        passes += job.passes
      } else {
        others.append(job)
      }
    }
    waiting = others
    let (planes, places, runs) = (batch.map(\.planes), batch.map(\.places), first.runs)
    let start = clock.now
    forecast.begins(first.tower, pictures: batch.count, passes: passes, at: start)
    do {
      let clock = clock
      let (answers, time) = try await tower.runIfActive {
        let start = clock.now
        return (try Self.answers(planes, places, runs), start.duration(to: clock.now))
      }
      forecast.ends(after: time.seconds)
      // Those without numbers are their own pictures' fault: a blank one has had some.
      for (job, answer) in zip(batch, answers) {
        if case .failure(let error) = answer { logger.warning("a picture failed", metadata: ["error": "\(error)"]) }
        job.answer.resume(with: answer)
      }
      Recorder(label: "banyan_batch_pictures").record(batch.count)
      Timer(label: "banyan_batch_seconds").recordNanoseconds(Int64(time.seconds * 1e9))
      for job in batch {
        Timer(label: "banyan_queue_seconds").recordNanoseconds(Int64(job.arrived.duration(to: start).seconds * 1e9))
      }
    } catch {
      forecast.fails()
      logger.error("a batch failed", metadata: ["pictures": "\(batch.count)", "error": "\(error)"])
      for job in batch { job.answer.resume(throwing: error) }
    }
  }

  /// What pictures are under the tasks at `places`, one list a picture; or why one of them is nothing.
  private static func answers(
    _ planes: [PictureClassifier.Planes], _ places: [[Int]], _ runs: ServedRuns
  ) throws -> [Result<Answer, any Error>] {
    guard let first = places.first?.first else { return [] }
    let batch = try runs.classifier(first).batch(planes)
    let features = try runs.classifier(first).features(batch)
    var found = places.map { [[Double]](repeating: [], count: $0.count) }
    for place in Set(places.joined()).sorted() {
      let rows = places.indices.filter { places[$0].contains(place) }
      let part = rows.count == batch.count ? batch : try batch.rows(rows)
      let probabilities = try runs.classifier(place).probabilities(part, task: runs.tasks[place].index)
      for (row, values) in zip(rows, probabilities) {
        for (position, wanted) in places[row].enumerated() where wanted == place { found[row][position] = values }
      }
    }
    return zip(found, features).map { probabilities, feature in
      // Others in the batch have theirs.
      guard probabilities.allSatisfy({ $0.allSatisfy(\.isFinite) }), feature.allSatisfy(\.isFinite) else {
        return .failure(BanyanError(.malformed, at: "picture", "the tower gives no finite numbers for it"))
      }
      return .success(Answer(probabilities: probabilities, feature: feature))
    }
  }
}

extension Duration {
  /// As seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
