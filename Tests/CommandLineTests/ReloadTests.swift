import BanyanFoundation
import BanyanTestSupport
import Foundation
import Synchronization
import Testing

/// Runs that are exchanged for others while clients ask.
@Suite struct ReloadTests {
  private let shop: Workshop
  private let picture: Data

  init() throws {
    shop = try Workshop.open()
    picture = try Data(contentsOf: shop.world.picture(1, 2, 0))
  }

  /// Asks again and again on three threads until `body` is through, and gives back what statuses there were.
  private func asking(_ service: RunningService, during body: () throws -> Void) rethrows -> [Int: Int] {
    let statuses = Mutex<[Int: Int]>([:])
    let isDone = Mutex(false)
    let picture = picture
    let group = together(3) { _ in
      while !isDone.withLock({ $0 }) {
        let status = (try? service.ask("POST", "/classify", picture).status) ?? -1
        statuses.withLock { $0[status, default: 0] += 1 }
      }
    }
    do {
      defer {
        isDone.withLock { $0 = true }
        group.wait()
      }
      try body()
    }
    return statuses.withLock { $0 }
  }

  /// Waits until the service has said `words` so often.
  private func hears(_ words: String, times: Int, of service: RunningService) -> Bool {
    eventually(within: 60, every: 0.02) { service.log.components(separatedBy: words).count > times }
  }

  @Test func requestsAreNotDroppedMeanwhile() throws {
    let service = try RunningService(["--run", "runs/hipro", "--log-level", "notice"], in: shop.folder)
    let statuses = asking(service) {
      for round in 1...5 {
        service.signal(SIGHUP)
        #expect(hears("runs reloaded", times: round, of: service), "\(service.log.suffix(2000))")
      }
    }
    #expect(
      statuses.keys.sorted() == [200] && Double(statuses[200] ?? 0) > 10 / Sanitizer.slowdown, "\(statuses)")
  }

  @Test func aRunOnAnotherTowerTakesThePlaceAndAnUnreadableOneDoesNot() throws {
    let trained = try shop.train("runs/reload-tiny", model: TinyCLIP.folder().path, ["--seeds", "1"])
    #expect(trained.code == 0, "\(trained)")
    let link = shop.folder.appending(path: "runs/reloaded")
    func point(at run: String) throws {
      let fresh = shop.folder.appending(path: "runs/reloaded-next")
      try FileManager.default.createSymbolicLink(atPath: fresh.path, withDestinationPath: run)
      // In one step, as who exchanges runs should.
      #expect(rename(fresh.path, link.path) == 0)
    }
    func answer(_ service: RunningService) throws -> [String: Double] {
      let answers = try service.ask("POST", "/classify", picture).json?["pictures"]?.arrayValue?.first?["answers"]
      var found: [String: Double] = [:]
      for answer in answers?.arrayValue ?? [] {
        for guess in answer["classes"]?.arrayValue ?? [] {
          found["\(answer["task"]?.stringValue ?? "") \(guess["name"]?.stringValue ?? "")"] =
            guess["probability"]?.doubleValue
        }
      }
      #expect(found.count == 9, "\(found)")
      return found
    }
    /// By how much answers differ at most; others' pictures in the same batch change the last bits.
    func distance(_ a: [String: Double], _ b: [String: Double]) -> Double {
      a.map { abs($0.value - (b[$0.key] ?? 9)) }.max() ?? 9
    }
    try point(at: "coop")
    let service = try RunningService(["--run", "runs/reloaded", "--reload", "0.2"], in: shop.folder)
    let first = try answer(service)
    let statuses = try asking(service) {
      try point(at: "reload-tiny")
      #expect(hears("runs reloaded", times: 1, of: service), "\(service.log.suffix(2000))")
      let second = try answer(service)
      let alone = try RunningService(["--run", "runs/reloaded"], in: shop.folder)
      #expect(try distance(second, answer(alone)) < 1e-5 && distance(second, first) > 0.01, "\(first) \(second)")
      try point(at: "nothing-there")
      #expect(hears("runs not reloaded", times: 1, of: service), "\(service.log.suffix(2000))")
      #expect(try distance(answer(service), second) < 1e-5)
      try point(at: "coop")
      #expect(hears("runs reloaded", times: 2, of: service), "\(service.log.suffix(2000))")
      #expect(try distance(answer(service), first) < 1e-5)
    }
    #expect(
      statuses.keys.sorted() == [200] && Double(statuses[200] ?? 0) > 10 / Sanitizer.slowdown, "\(statuses)")
    #expect(try service.stop().code == 0)
  }
}
