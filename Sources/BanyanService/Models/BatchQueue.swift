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
  /// A picture on its way, with the tasks that are asked of it; all of one tower.
  private struct Job {
    var planes: PictureClassifier.Planes
    var runs: ServedRuns
    var places: [Int]
    var tower: PictureClassifier.Tower
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
  /// Places that are taken, those of pictures that are still being decoded among them.
  private var reserved = 0
  /// How long a picture has taken in each tower of late.
  private var paces: [PictureClassifier.Tower: Double] = [:]
  /// How long a picture takes in the slowest tower; `nil` before the first.
  private var secondsPerPicture: Double? { paces.values.max() }
  private var isWarm = false
  private var isClosed = false
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation
  private let clock = ContinuousClock()
  private let tower = NIOThreadPool(numberOfThreads: 1)
  private let decoders: NIOThreadPool

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
    (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    decoders = NIOThreadPool(numberOfThreads: max(1, threads))
    tower.start()
    decoders.start()
  }

  /// Whether a picture has been through every tower.
  var isReady: Bool { isWarm }

  /// Takes places for pictures before they are decoded.
  ///
  /// - Throws: A ``ServiceError`` with status 429 where too many wait, or where they would wait for longer than is promised.
  func reserve(_ count: Int) throws {
    guard isWarm, !isClosed else {
      throw ServiceError(
        .serviceUnavailable, isClosed ? "the service is shutting down" : "the service is not ready yet",
        headers: [.retryAfter: "1"])
    }
    let pace = secondsPerPicture ?? 0
    // Its own batch must be through too, and others may fill that up.
    let wait = Double(reserved + mostAtOnce) * pace
    let limit = settings.latency.seconds
    guard reserved + count <= settings.queueLimit else {
      throw ServiceError.busy("\(reserved) pictures wait; no more are taken for now", retryAfter: wait)
    }
    // One request is always taken where nobody waits, or a large one would never be.
    guard reserved == 0 || wait + Double(count) * pace <= limit else {
      throw ServiceError.busy(
        "pictures would wait for longer than \(limit) s; no more are taken for now", retryAfter: wait - limit / 2)
    }
    reserved += count
    Gauge(label: "banyan_pictures_waiting").record(reserved)
  }

  /// How many pictures a batch takes: no more than pass the tower in a quarter of the time that is promised.
  private var mostAtOnce: Int {
    let fitting = settings.latency.seconds / 4 / max(secondsPerPicture ?? 0, 1e-9)
    return max(1, Int(min(Double(settings.batchSize), fitting)))
  }

  /// Gives places back.
  func release(_ count: Int) {
    reserved -= count
    Gauge(label: "banyan_pictures_waiting").record(reserved)
  }

  /// Runs `body` beside the tower, on as many threads as there are cores.
  nonisolated func decode<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await decoders.runIfActive(body)
  }

  /// What a picture is under tasks of one tower, when its batch has been through.
  func answer(_ planes: PictureClassifier.Planes, runs: ServedRuns, places: [Int]) async throws -> Answer {
    guard let first = places.first else { return Answer(probabilities: [], feature: []) }
    guard !isClosed else { throw ServiceError(.serviceUnavailable, "the service is shutting down") }
    let tower = runs.classifier(first).tower
    return try await withCheckedThrowingContinuation { continuation in
      waiting.append(
        Job(planes: planes, runs: runs, places: places, tower: tower, arrived: clock.now, answer: continuation))
      signal.yield()
    }
  }

  /// Sends blank pictures through every tower, so that the first client does not wait for memory to be found and the pace
  /// is known.
  private func warm() async throws {
    let (runs, threads) = (library.current, threads)
    try await tower.runIfActive { try Engine.setThreads(threads) }
    for places in runs.towers(Array(runs.tasks.indices)) {
      let classifier = runs.classifier(places[0])
      let size = classifier.planeSize
      let blank = try classifier.planes([Float](repeating: 0, count: 3 * size.height * size.width))
      for count in [1, settings.batchSize] {
        let jobs = [PictureClassifier.Planes](repeating: blank, count: count)
        let seconds = try await clock.measure {
          _ = try await tower.runIfActive { try Self.answers(jobs, jobs.map { _ in places }, runs) }
        }.seconds
        paces[classifier.tower] = seconds / Double(count)
      }
    }
    isWarm = true
    logger.notice(
      "ready",
      metadata: [
        "tasks": "\(runs.tasks.count)",
        "picturesPerSecond": "\((10 / max(secondsPerPicture ?? 1, 1e-9)).rounded() / 10)",
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
    try? await tower.shutdownGracefully()
    try? await decoders.shutdownGracefully()
    if let failure { throw failure }
  }

  private func serveOneBatch() async {
    let most = mostAtOnce
    if let first = waiting.first, waiting.count < most {
      let rest = settings.gathering - first.arrived.duration(to: clock.now)
      if rest > .zero { try? await clock.sleep(for: rest) }
    }
    guard let first = waiting.first else { return }
    // Pictures of one tower and of one state of the runs, in the order of their arrival.
    var batch: [Job] = []
    var others: [Job] = []
    for job in waiting {
      let fits = job.tower == first.tower && job.runs.generation == first.runs.generation
      if fits, batch.count < most { batch.append(job) } else { others.append(job) }
    }
    waiting = others
    let (planes, places, runs) = (batch.map(\.planes), batch.map(\.places), first.runs)
    let start = clock.now
    do {
      let answers = try await tower.runIfActive { try Self.answers(planes, places, runs) }
      for (job, answer) in zip(batch, answers) { job.answer.resume(returning: answer) }
      let seconds = start.duration(to: clock.now).seconds
      let pace = seconds / Double(batch.count)
      // A lone picture says little about a full batch, and what is promised is promised of full ones.
      let weight = 0.3 * min(1, Double(batch.count) / Double(most))
      paces[first.tower] = paces[first.tower].map { $0 + weight * (pace - $0) } ?? pace
      Recorder(label: "banyan_batch_pictures").record(batch.count)
      Timer(label: "banyan_batch_seconds").recordNanoseconds(Int64(seconds * 1e9))
      for job in batch {
        Timer(label: "banyan_queue_seconds").recordNanoseconds(Int64(job.arrived.duration(to: start).seconds * 1e9))
      }
    } catch {
      logger.error("a batch failed", metadata: ["pictures": "\(batch.count)", "error": "\(error)"])
      for job in batch { job.answer.resume(throwing: error) }
    }
  }

  /// What pictures are under the tasks at `places`, one list a picture.
  private static func answers(
    _ planes: [PictureClassifier.Planes], _ places: [[Int]], _ runs: ServedRuns
  ) throws -> [Answer] {
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
    return zip(found, features).map { Answer(probabilities: $0, feature: $1) }
  }
}

extension Duration {
  /// As seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
