import BanyanFoundation
import BanyanTestSupport
import Dispatch
import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `banyan serve` on a free port, asked over HTTP; stopped when the value goes.
final class RunningService: @unchecked Sendable {
  /// What came back.
  struct Answer: CustomStringConvertible {
    var status: Int
    var headers: [String: String]
    var data: Data

    var json: JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: data) }
    var error: String { json?["error"]?.stringValue ?? "" }
    var description: String { "\(status) \(String(decoding: data.prefix(400), as: UTF8.self))" }
  }

  struct NotServing: Error {
    var log: String
  }

  let port: Int
  private let running: Program.Running
  // Written once by `stop()`.
  private var outcome: Program.Outcome?

  /// Starts a service and waits until it is ready.
  init(_ words: [String], in folder: URL, environment: [String: String] = [:], awaitReady: Bool = true) throws {
    let running = try Program.start(
      ["serve", "--listen", "127.0.0.1:0", "--threads", "1"] + Self.limits(beside: words) + words, in: folder,
      environment: environment)
    var found: Int?
    eventually(within: 60, every: 0.05) {
      let said = running.said
      found = said.range(of: "on http://127.0.0.1:").flatMap { mark in
        Int(said[mark.upperBound...].prefix { $0.isNumber })
      }
      return found != nil || !running.process.isRunning
    }
    guard let number = found else {
      running.kill(SIGKILL)
      throw NotServing(log: "\(try running.finish())")
    }
    (self.running, port) = (running, number)
    guard awaitReady else { return }
    let isReady = try eventually(within: 30, every: 0.05) {
      try ask("GET", "/v2/health/ready").status == 200 || !running.process.isRunning
    }
    guard isReady, running.process.isRunning else { throw NotServing(log: log) }
  }

  /// What a service without these words promises and allows, for as long as a sanitizer takes.
  private static func limits(beside words: [String]) -> [String] {
    guard Sanitizer.isPresent else { return [] }
    return [("--latency", 10.0), ("--upload-time", 30.0)].filter { !words.contains($0.0) }
      .flatMap { [$0.0, "\($0.1 * Sanitizer.slowdown)"] }
  }

  deinit {
    running.kill(SIGTERM)
    _ = try? stop()
  }

  /// What the service has said so far.
  var log: String { running.said }

  /// The lines of a log in JSON so far.
  var events: [JSONValue] {
    log.split(separator: "\n").filter { $0.hasPrefix("{") }
      .compactMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
  }

  func signal(_ number: Int32) { running.kill(number) }

  /// Tells the service to stop, and waits for it.
  @discardableResult func stop() throws -> Program.Outcome {
    if let outcome { return outcome }
    running.kill(SIGTERM)
    let outcome = try running.finish()
    self.outcome = outcome
    return outcome
  }

  /// One request, on a connection of its own.
  func ask(
    _ method: String, _ path: String, _ body: Data? = nil, headers: [String: String] = [:]
  ) throws -> Answer {
    var fields = ["Host: 127.0.0.1", "Connection: close"] + headers.map { "\($0.key): \($0.value)" }
    if let body { fields.append("Content-Length: \(body.count)") }
    let head = "\(method) \(path) HTTP/1.1\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n"
    return try Self.parsed(exchange([Data(head.utf8) + (body ?? Data())]))
  }

  /// Sends bytes as they are, with a pause before each part but the first, and reads until the service closes, or once.
  func exchange(
    _ parts: [Data], pause: TimeInterval = 0, untilClosed: Bool = true, from host: String = "127.0.0.1"
  ) throws -> Data {
    let socket = try connected(from: host)
    defer { close(socket) }
    for (index, part) in parts.enumerated() {
      if index > 0 { Thread.sleep(forTimeInterval: pause) }
      var rest = part[...]
      while !rest.isEmpty {
        let sent = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // The service may have answered and closed before all was sent.
        guard sent > 0 else { break }
        rest = rest.dropFirst(sent)
      }
    }
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return data }
      data.append(contentsOf: buffer[0..<count])
      if !untilClosed { return data }
    }
  }

  /// An open connection, from one of this machine's own addresses; the caller closes it.
  func connected(from host: String = "127.0.0.1") throws -> Int32 {
    // Not for programs that other tests start meanwhile, which would keep it open.
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let socket = Glibc.socket(AF_INET, kind, 0)
    let isOpen =
      Self.with(host, port: 0) { bind(socket, $0, $1) } == 0
      && Self.with("127.0.0.1", port: port) { connect(socket, $0, $1) } == 0
    guard isOpen else { throw NotServing(log: log) }
    var limit = timeval(tv_sec: Int(60 * Sanitizer.slowdown), tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return socket
  }

  private static func with(
    _ host: String, port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  /// Takes an answer apart; one that is none has the status 0.
  static func parsed(_ bytes: Data) -> Answer {
    guard let blank = bytes.range(of: Data("\r\n\r\n".utf8)) else {
      return Answer(status: 0, headers: [:], data: bytes)
    }
    let lines = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return Answer(status: status, headers: headers, data: Data(bytes[blank.upperBound...]))
  }
}

/// Runs `body` on as many threads; a queue would start as many as there are cores.
func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> DispatchGroup {
  let group = DispatchGroup()
  for number in 0..<count {
    group.enter()
    Thread {
      body(number)
      group.leave()
    }.start()
  }
  return group
}
