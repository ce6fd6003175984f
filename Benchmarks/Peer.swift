import BanyanFoundation
import BanyanTensor
import Foundation

/// The process of the other side, `peer.py`: one request a line, one answer a line.
final class Peer {
  /// Which way the other side takes.
  enum Way: String, Codable { case published, best, compiled }

  /// What a step of the other side gave.
  struct Step {
    var seconds: Double
    /// One for each step of the work; none where the other side cannot hold it at once.
    var losses: [Double]
  }

  private(set) var version = ""
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let log: URL
  private var rest = Data()

  init(python: String, script: URL, log: URL) throws {
    guard FileManager.default.isExecutableFile(atPath: python) else {
      throw BanyanError(
        .usage, at: "--python \(python)", "there is no Python",
        remedy: "Run `make venv`, or name one with torch and transformers.")
    }
    self.log = log
    // Where the other side has ended, writing to it is an error that can be told, and not the end of this side.
    signal(SIGPIPE, SIG_IGN)
    try Data().write(to: log)
    process.executableURL = URL(fileURLWithPath: python)
    // Without a folder of compiled Python beside the sources.
    process.arguments = ["-B", script.path]
    // It waits as PyTorch does where nobody says otherwise.
    var environment = ProcessInfo.processInfo.environment.filter { !WaitingThreads.variables.contains($0.key) }
    // Its allocator keeps freed memory, as this side's does: training whole towers gains a tenth and more.
    environment["MALLOC_MMAP_MAX_"] = "0"
    environment["MALLOC_TRIM_THRESHOLD_"] = "8589934592"
    process.environment = environment
    process.standardInput = input
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
  }

  func stop() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  func load(_ checkpoint: URL, threads: Int) throws {
    struct Answer: Decodable { var torch: String }
    let answer: Answer = try ask([
      "do": .string("load"), "folder": .string(checkpoint.path), "threads": .integer(Int64(threads)),
    ])
    version = answer.torch
  }

  func draw(_ count: Int, into folder: URL) throws {
    _ = try ask(
      ["do": .string("pictures"), "folder": .string(folder.path), "count": .integer(Int64(count))], as: JSONValue.self)
  }

  func begin(_ request: [String: JSONValue]) throws {
    _ = try ask(request.merging(["do": .string("case")]) { $1 }, as: JSONValue.self)
  }

  func step(_ way: Way) throws -> Step {
    struct Answer: Decodable {
      var seconds: Double?
      var losses: [Double]?
      var failed: String?
    }
    let answer: Answer = try ask(["do": .string("step"), "way": .string(way.rawValue)])
    guard let seconds = answer.seconds, let losses = answer.losses else {
      throw BanyanError(.failed, at: "the other side", answer.failed ?? "gave no time")
    }
    return Step(seconds: seconds, losses: losses)
  }

  private func ask<Answer: Decodable>(_ request: [String: JSONValue], as: Answer.Type = Answer.self) throws -> Answer {
    var line = try JSONEncoder().encode(JSONValue.object(request))
    line.append(0x0A)
    do { try input.fileHandleForWriting.write(contentsOf: line) } catch { throw gone() }
    while true {
      if let end = rest.firstIndex(of: 0x0A) {
        let answer = rest[..<end]
        rest = Data(rest[(end + 1)...])
        return try JSONDecoder().decode(Answer.self, from: answer)
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { throw gone() }
      rest.append(more)
    }
  }

  /// The other side has ended; its own words say why.
  private func gone() -> BanyanError {
    let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    let last = text.split(separator: "\n").suffix(6).joined(separator: "\n")
    return BanyanError(.failed, at: "the other side", "ended: \(last)")
  }
}
