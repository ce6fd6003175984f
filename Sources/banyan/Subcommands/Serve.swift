import ArgumentParser
import BanyanFoundation
import BanyanService
import BanyanTraining
import Foundation
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answers about pictures over HTTP with the classifiers of runs.",
    discussion: """
      A page at / takes pictures; POST /classify takes files; /v2 is the Open Inference Protocol, one model a task. Tasks of \
      runs on one checkpoint share one pass of the image tower, but for methods that change the tower. SIGTERM and Ctrl-C finish what was accepted; SIGHUP reads the \
      runs anew without dropping a request.

        banyan serve --run runs/hipro
        curl -F picture=@cat.jpg http://127.0.0.1:8080/classify
        curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg' 'http://127.0.0.1:8080/classify?task=sketch&top=3'
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("A finished run; may be repeated.", valueName: "folder"))
  var folders: [String]

  @Option(
    help: ArgumentHelp(
      "Where to listen; port 0 is any free one, unix:PATH a socket.", valueName: "host:port"))
  var listen = "127.0.0.1:8080"

  @Option(help: ArgumentHelp("Use the prompts of this seed (default: each run's first).", valueName: "seed"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("The checkpoint, where it has moved since.", valueName: "folder"))
  var model: String?

  @Option(help: ArgumentHelp("Threads of one op (default: all cores).", valueName: "n"))
  var threads: Int?

  @Option(help: ArgumentHelp("The most pictures in the tower at once.", valueName: "n"))
  var batch = 32

  @Option(help: ArgumentHelp("How long a picture waits for others while the tower is idle.", valueName: "ms"))
  var gather = 2.0

  @Option(help: ArgumentHelp("The most pictures that wait; beyond that 429.", valueName: "n"))
  var queue = 256

  @Option(
    help: ArgumentHelp(
      "The longest that an accepted picture is expected to take; beyond that 429, or 413 where a request is too large for it at any time.",
      valueName: "s"))
  var latency = 10.0

  @Option(help: ArgumentHelp("The largest body of a request.", valueName: "MiB"))
  var maxBody = 32

  @Option(help: ArgumentHelp("The most pixels that a picture may have.", valueName: "million"))
  var maxPixels = 50

  @Option(help: ArgumentHelp("The most pictures of one request.", valueName: "n"))
  var maxPictures = 64

  @Option(help: ArgumentHelp("How long a client may take to send a body.", valueName: "s"))
  var uploadTime = 30.0

  @Option(help: ArgumentHelp("Pictures a second from one address (default: no bound).", valueName: "n"))
  var rate: Double?

  @Option(
    help: ArgumentHelp(
      "A file whose first line clients must show as a bearer token; $BANYAN_TOKEN does the same.", valueName: "file"),
    completion: .file())
  var tokenFile: String?

  @Option(
    help: ArgumentHelp(
      "A name that the service may be called by, or *; may be repeated (default: this machine's own where it listens there "
        + "alone, else all).", valueName: "name"))
  var host: [String] = []

  @Option(help: ArgumentHelp("Another site whose pages may ask; may be repeated (default: none).", valueName: "origin"))
  var origin: [String] = []

  @Option(help: ArgumentHelp("Look for newer records this often (default: at SIGHUP only).", valueName: "s"))
  var reload: Double?

  @Option(
    help: ArgumentHelp(
      "Keep features and answers of the last 1000 pictures that were asked of one task alone here, for `banyan drift`.",
      valueName: "file"), completion: .file())
  var traffic: String?

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var logFormat = ResultFormat.text

  @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
  var logLevel = "info"

  private struct Address {
    var host: String
    var port: Int
  }

  private func address() throws -> Address {
    if listen.hasPrefix("unix:"), listen.count > 5 { return Address(host: listen, port: 0) }
    guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
      (0...65535).contains(port), colon > listen.startIndex
    else { throw ValidationError("--listen: expected host:port or unix:PATH, found \(listen)") }
    return Address(host: listen[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port: port)
  }

  func validate() throws {
    _ = try address()
    if folders.isEmpty { throw ValidationError("Say what to serve: --run.") }
    let counts = [("--batch", batch), ("--queue", queue), ("--max-body", maxBody), ("--max-pixels", maxPixels)]
    for (name, value) in counts + [("--max-pictures", maxPictures)] where !(1...1_000_000).contains(value) {
      throw ValidationError("\(name) must be 1 to 1000000.")
    }
    if queue < maxPictures { throw ValidationError("--queue must be --max-pictures (\(maxPictures)) or more.") }
    for (name, value) in [("--latency", latency), ("--upload-time", uploadTime)]
      + (reload.map { [("--reload", $0)] } ?? [])
    where !(0.01...86_400).contains(value) {
      throw ValidationError("\(name) must be 0.01 to 86400 seconds.")
    }
    if !(0...10_000).contains(gather) { throw ValidationError("--gather must be 0 to 10000 milliseconds.") }
    if gather / 1000 > latency / 2 {
      throw ValidationError("--gather must be at most half of --latency, which it is a part of.")
    }
    if let rate, !(0.001...1e9).contains(rate) { throw ValidationError("--rate must be more than 0.") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
    if Logger.Level(rawValue: logLevel) == nil {
      throw ValidationError(
        "--log-level: \(NearNames.remedy(for: logLevel, among: Logger.Level.allCases.map(\.rawValue)))")
    }
  }

  private var settings: ServiceSettings {
    get throws {
      var settings = ServiceSettings()
      (settings.batchSize, settings.queueLimit, settings.pictureLimit) = (batch, queue, maxPictures)
      settings.gathering = .seconds(gather / 1000)
      settings.latency = .seconds(latency)
      settings.uploadTime = .seconds(uploadTime)
      settings.bodyLimit = maxBody << 20
      settings.pixelLimit = maxPixels * 1_000_000
      (settings.rate, settings.origins) = (rate, origin)
      let isLocal = ["127.0.0.1", "::1", "localhost"].contains(try address().host)
      settings.hosts =
        host.isEmpty ? (isLocal ? ["127.0.0.1", "localhost", "[::1]"] : nil) : host.map { $0.lowercased() }
      settings.traffic = traffic.map { URL(fileURLWithPath: $0) }
      settings.token = try token()
      return settings
    }
  }

  /// The token; an empty one would let everybody in who knows nothing.
  private func token() throws -> String? {
    let text: String?
    if let tokenFile {
      let data = try AtomicFile.read(URL(fileURLWithPath: tokenFile))
      text = String(decoding: data, as: UTF8.self).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        .first
        .map { $0.trimmingCharacters(in: .whitespaces) }
    } else {
      text = ProcessInfo.processInfo.environment["BANYAN_TOKEN"]
    }
    guard let text else { return nil }
    guard text.utf8.count >= 16 else {
      throw BanyanError(
        .usage, at: tokenFile ?? "BANYAN_TOKEN", "expected a token of 16 characters or more, found \(text.utf8.count)",
        remedy: "Make one: openssl rand -hex 32.")
    }
    return text
  }

  func run() async throws {
    Launch.ignoreEarlyReloads()
    let address = try address()
    let settings = try settings
    let library = try RunLibrary(
      folders.map { .init(folder: URL(fileURLWithPath: $0), seed: seed, model: model.map { URL(fileURLWithPath: $0) }) }
    )
    let metrics = PrometheusMetrics()
    MetricsSystem.bootstrap(metrics)
    var logger = Logger(label: "banyan") { [logFormat] label -> any LogHandler in
      switch logFormat {
      case .json: JSONLog(label: label, write: { Terminal.log($0) })
      case .text: StreamLogHandler.standardError(label: label)
      }
    }
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
    let server = BanyanServer(
      library, settings: settings, host: address.host, port: address.port, threads: threads, metrics: metrics,
      reloadsEvery: reload.map { .seconds($0) }, logger: logger
    ) { host, port in
      let place = port.map { "http://\(host.contains(":") ? "[\(host)]" : host):\($0)/" } ?? "unix:\(host)"
      Terminal.note("Serving \(library.current.taskNames.count) tasks on \(place) (Ctrl-C finishes and stops)")
    }
    var configuration = ServiceGroupConfiguration(
      services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    // A body that is on its way, its answer, and twice the time to take it; whoever does not read does not keep the program.
    configuration.maximumGracefulShutdownDuration = settings.latency + settings.uploadTime * 3 + .seconds(15)
    let group = ServiceGroup(configuration: configuration)
    do {
      try await group.run()
    } catch let error as BanyanError {
      throw error
    } catch {
      throw BanyanError(
        .failed, at: "--listen \(listen)", "\(error)", remedy: "Choose another address, or stop who has it.")
    }
  }
}
