import BanyanFoundation
import BanyanTensor
import BanyanTraining
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization
import UnixSignals

/// The classifiers of runs over HTTP: the Open Inference Protocol, plain uploads, a page, metrics.
///
/// As a `Service` it runs until it is told to shut down: then it takes no new requests, answers those that it has accepted and
/// ends. Unlike ``RunLibrary``, which holds runs, it holds connections.
public struct BanyanServer: Service {
  private let library: RunLibrary
  private let settings: ServiceSettings
  private let address: BindAddress
  private let socketPath: String?
  private let threads: Int
  private let metrics: PrometheusMetrics?
  private let reloadsEvery: Duration?
  private let logger: Logger
  private let onStart: @Sendable (_ host: String, _ port: Int?) -> Void

  /// A server that has not started.
  ///
  /// - Parameters:
  ///   - library: The runs.
  ///   - settings: Limits.
  ///   - host: Where it listens: a name or number, or the path of a Unix socket after `unix:`.
  ///   - port: The port; 0 for any that is free.
  ///   - threads: Threads of one op of a tower; all cores where `nil`.
  ///   - metrics: What `/metrics` shows; nothing where `nil`.
  ///   - reloadsEvery: How often runs are looked at for newer records; never where `nil`. A SIGHUP always reloads.
  ///   - logger: Where requests are written.
  ///   - onStart: Called with the address when clients may come.
  public init(
    _ library: RunLibrary, settings: ServiceSettings = ServiceSettings(), host: String = "127.0.0.1", port: Int = 8080,
    threads: Int? = nil, metrics: PrometheusMetrics? = nil, reloadsEvery: Duration? = nil, logger: Logger,
    onStart: @escaping @Sendable (_ host: String, _ port: Int?) -> Void = { _, _ in }
  ) {
    self.library = library
    self.settings = settings
    socketPath = host.hasPrefix("unix:") ? String(host.dropFirst(5)) : nil
    address = socketPath.map { .unixDomainSocket(path: $0) } ?? .hostname(host, port: port)
    self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    (self.metrics, self.reloadsEvery, self.logger, self.onStart) = (metrics, reloadsEvery, logger, onStart)
  }

  /// Serves until the surrounding `ServiceGroup` shuts down.
  ///
  /// - Throws: What keeps it from listening, such as an address in use.
  public func run() async throws {
    let (library, logger, onStart) = (library, logger, onStart)
    if let socketPath, await Self.isServed(socketPath) {
      throw BanyanError(
        .failed, at: "unix:\(socketPath)", "another program listens there",
        remedy: "Choose another path, or stop who has it.")
    }
    let queue = BatchQueue(library, settings: settings, threads: threads, logger: logger)
    let traffic = try settings.traffic.map { try TrafficKeeper($0, logger: logger) }
    let answering = Answering(
      queue: queue, settings: settings, rate: settings.rate.map(RateGate.init),
      uploads: UploadGate(limit: max(1, settings.requestLimit / 2)), traffic: traffic)
    // As long as for sending a body.
    let unread = TimeAmount.nanoseconds(Int64(settings.uploadTime.seconds * 1e9))
    // A client that pauses within a body has the time of uploads.
    let idle = max(.seconds(60), unread + .seconds(10))
    let others: [any Service] = [traffic].compactMap(\.self)
    let application = Application(
      router: router(answering),
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [
            ContinueHandler(limit: settings.bodyLimit), DeafClientHandler(limit: unread),
            FarewellHandler(limit: unread),
          ],
          idleTimeout: idle)),
      configuration: ApplicationConfiguration(
        address: address, serverName: "banyan",
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit, logger: logger)),
      // The last of these shuts down first: clients, then the towers.
      services: others + [queue, Reloading(library: library, queue: queue, every: reloadsEvery, logger: logger)],
      onServerRunning: { channel in
        onStart(
          channel.localAddress?.ipAddress ?? channel.localAddress?.pathname ?? "", channel.localAddress?.port)
      }, logger: logger)
    try await application.run()
  }

  /// Whether somebody answers at a socket: to listen would take its path from them, without a word to anybody.
  private static func isServed(_ path: String) async -> Bool {
    do {
      let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      let channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
      try? await channel.close()
      return true
    } catch let error as IOError {
      // One that is busy, or another user's, is somebody.
      return ![ECONNREFUSED, ENOENT, ENOTDIR].contains(error.errnoCode)
    } catch {
      return false
    }
  }

  private func router(_ answering: Answering) -> Router<ServiceContext> {
    let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
    let version = ExperimentRun.version
    let (hasToken, settings, metrics) = (settings.token != nil, settings, metrics)
    let protocolRoutes = InferenceRoutes(library: library, answering: answering, version: version)
    let classify = ClassifyRoute(library: library, answering: answering)
    let runs = RunsRoute(library: library)
    typealias Handler = @Sendable (Request, ServiceContext) async throws -> Response
    let page: Handler = { _, _ in
      .bytes(
        Data(ServicePage.html.utf8), type: "text/html; charset=utf-8",
        headers: [
          .contentSecurityPolicy:
            "default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ])
    }
    let measured: Handler = { _, _ in
      .bytes(Data((metrics?.text ?? "\n").utf8), type: "text/plain; version=0.0.4; charset=utf-8")
    }
    let library = library
    let document: Handler = { _, _ in
      .json(
        OpenAPIDocument(runs: library.current, version: version, hasToken: hasToken, settings: settings).json)
    }
    let routes: [(String, HTTPRequest.Method, Handler)] = [
      ("/", .get, page),
      ("/classify", .post, { try await classify($0, $1) }),
      ("/runs", .get, { runs($0, $1) }),
      ("/metrics", .get, measured),
      ("/openapi.json", .get, document),
      ("/v2", .get, { protocolRoutes.server($0, $1) }),
      ("/v2/health/live", .get, { protocolRoutes.live($0, $1) }),
      ("/v2/health/ready", .get, { await protocolRoutes.ready($0, $1) }),
      ("/v2/models", .get, { protocolRoutes.models($0, $1) }),
    ]
    let perTask: [(String, HTTPRequest.Method, Handler)] = [
      ("", .get, { try protocolRoutes.model($0, $1) }),
      ("/ready", .get, { try await protocolRoutes.modelReady($0, $1) }),
      ("/infer", .post, { try await protocolRoutes.infer($0, $1) }),
    ]
    let all =
      routes
      + ["/v2/models/:task", "/v2/models/:task/versions/:version"].flatMap { base in
        perTask.map { (base + $0.0, $0.1, $0.2) }
      }
    // A middleware is built into the routes that come after it.
    router.add(middleware: RequestGate(settings, routes: all.map { ($0.0, $0.1) }))
    if let token = settings.token { router.add(middleware: TokenGate(token: token)) }
    for (path, method, handler) in all { router.on(RouterPath(path), method: method, use: handler) }
    return router
  }
}

/// Exchanges runs for newer ones at a SIGHUP, and from time to time where that is asked for; one exchange after the other.
private struct Reloading: Service {
  var library: RunLibrary
  var queue: BatchQueue
  var every: Duration?
  var logger: Logger
  private let demand = Demand()

  /// A wish for a reload whatever the records say.
  private final class Demand: Sendable {
    let isThere = Atomic<Bool>(false)
  }

  init(library: RunLibrary, queue: BatchQueue, every: Duration?, logger: Logger) {
    (self.library, self.queue, self.every, self.logger) = (library, queue, every, logger)
  }

  func run() async throws {
    // One that waits is enough: it will read what is there then.
    let (wishes, wish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          let signals = await UnixSignalsSequence(trapping: .sighup)
          // Who wished for it before this was heard may have exchanged a run that had been read already.
          wish.yield()
          for await _ in signals {
            demand.isThere.store(true, ordering: .relaxed)
            wish.yield()
          }
        }
        if let every {
          group.addTask {
            while (try? await Task.sleep(for: every)) != nil { wish.yield() }
          }
        }
        group.addTask {
          for await _ in wishes { await reload(onlyIfChanged: !demand.isThere.exchange(false, ordering: .relaxed)) }
        }
      }
    }
  }

  private func reload(onlyIfChanged: Bool) async {
    var read: RunLibrary.Fresh?
    do {
      let library = library
      // Reading takes seconds, in which others are answered.
      let fresh = try await NIOThreadPool.singleton.runIfActive { try library.read(onlyIfChanged: onlyIfChanged) }
      guard let fresh else { return }
      read = fresh
      try await queue.prepare(fresh.runs)
      library.install(fresh)
      await queue.forget(allBut: fresh.runs)
      logger.notice(
        "runs reloaded", metadata: ["tasks": "\(fresh.runs.taskNames.count)", "threads": "\(Engine.threads)"])
    } catch is CancellationError {
      return
    } catch {
      if let read { library.refuse(read) }
      logger.error("runs not reloaded; the old ones stay", metadata: ["error": "\(error)"])
    }
  }
}
