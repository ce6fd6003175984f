import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// The report and the page of the service in a real browser.
@Suite struct PageTests {
  /// A Chromium; `make test` sets it where there is one.
  private static let browser = ProcessInfo.processInfo.environment["BANYAN_CHROMIUM"].flatMap { $0.isEmpty ? nil : $0 }
  private static let python = ProcessInfo.processInfo.environment["BANYAN_CHECKS_PYTHON"].flatMap {
    $0.isEmpty ? nil : $0
  }
  private static let canDrop = browser != nil && python != nil
  private let shop: Workshop
  /// A picture of every task, each with a name of its own.
  private let pictures: [URL]

  init() throws {
    let shop = try Workshop.open()
    self.shop = shop
    pictures = (0..<3).map { shop.world.picture($0, $0, $0) }
  }

  private func open(_ page: String, _ more: [String]) throws -> Program.Outcome {
    let browser = try #require(Self.browser)
    let profile = shop.folder.appendingPathComponent("browser-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: profile) }
    return try Program.run(
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--user-data-dir=\(profile.path)", "--enable-logging=stderr", "--virtual-time-budget=4000",
        "--window-size=1200,900",
      ] + more + [page.hasPrefix("http") ? page : "file://\(shop.folder.appendingPathComponent(page).path)"],
      in: shop.folder,
      program: URL(fileURLWithPath: browser))
  }

  @Test(.enabled(if: browser != nil)) func theReportOpensWithoutAnErrorAndItsTableSorts() throws {
    let made = try shop.run(
      "report", "runs/hipro", "runs/coop", "runs/coop-mt", "runs/zero-shot", "--output", "page.html")
    #expect(made.code == 0, "\(made)")
    // A second script presses the heading of the averages and leaves what it sees where the DOM shows it.
    var html = String(decoding: try shop.bytes("page.html"), as: UTF8.self)
    #expect(!html.contains("http://") || html.contains("http://www.w3.org"))
    html = html.replacing(
      "</body>",
      with: """
        <script>
        const head = document.querySelectorAll("table.sortable th button")[1];
        head.click();
        const cells = [...document.querySelectorAll("table.sortable tbody tr")].map(r => Number(r.cells[1].dataset.value));
        document.body.dataset.sorted = String(cells.every((v, i) => i === 0 || cells[i - 1] >= v)) + cells.length;
        document.body.dataset.overflow = String(document.documentElement.scrollWidth > innerWidth + 1);
        const boxes = [...document.querySelectorAll("svg.figure")].map(s => s.getBoundingClientRect());
        document.body.dataset.figures = String(boxes.filter(b => b.width > 100 && b.height > 80).length);
        document.body.dataset.broken = String([...document.images].filter(i => i.naturalWidth === 0).length);
        </script></body>
        """)
    try Data(html.utf8).write(to: shop.folder.appendingPathComponent("probed.html"))
    let outcome = try open("probed.html", ["--dump-dom"])
    #expect(outcome.code == 0)
    #expect(!outcome.err.contains("CONSOLE"), "\(outcome.err)")
    #expect(outcome.out.contains("data-sorted=\"true4\""))
    #expect(outcome.out.contains("data-overflow=\"false\""))
    #expect(outcome.out.contains("data-broken=\"0\""))
    let drawn = html.components(separatedBy: "class=\"figure\"").count - 1
    #expect(drawn > 6 && outcome.out.contains("data-figures=\"\(drawn)\""))
  }

  @Test(.enabled(if: browser != nil)) func theServicesPageKnowsItsTasksAndTheirTree() throws {
    let service = try RunningService(["--run", "runs/hipro"], in: shop.folder)
    let outcome = try open("http://127.0.0.1:\(service.port)/", ["--dump-dom"])
    #expect(outcome.code == 0 && !outcome.err.contains("CONSOLE"), "\(outcome.err)")
    for task in ["chalk", "ink", "watercolour"] {
      #expect(outcome.out.contains("type=\"checkbox\"") && outcome.out.contains(task))
    }
    #expect(outcome.out.contains("class=\"tree\"") && outcome.out.contains("joined at") && outcome.out.contains("own"))
    #expect(outcome.out.contains("id=\"gate\" hidden"))
  }

  /// Drops the pictures, and a file that is none, on a service's page.
  private func drop(on service: RunningService, _ more: String...) throws -> Program.Outcome {
    try Program.run(
      [Checks.script("drop_pictures.py"), "--timeout", "300"] + more + ["http://127.0.0.1:\(service.port)/"]
        + pictures.map(\.path),
      in: shop.folder, program: URL(fileURLWithPath: try #require(Self.python)))
  }

  /// What the page showed beside each file.
  private func cards(_ outcome: Program.Outcome) throws -> [JSONValue] {
    #expect(outcome.code == 0, "\(outcome)")
    let seen = try JSONDecoder().decode(JSONValue.self, from: Data(outcome.out.utf8))
    let cards = try #require(seen["pictures"]?.arrayValue, "\(outcome)")
    #expect(cards.count == pictures.count + 1)
    let other = try #require(cards.last)
    #expect(other["error"]?.stringValue?.contains("no-picture.txt") == true && other["answers"]?.arrayValue == [])
    return Array(cards.dropLast())
  }

  /// The percentages of a task's classes; the page writes them with one decimal.
  private func percentages(_ classes: [JSONValue]) -> [String: Double] {
    var found: [String: Double] = [:]
    for item in classes {
      let shown = (item["shown"]?.stringValue?.prefix { $0 != " " }).flatMap { Double($0) }
      found[item["name"]?.stringValue ?? ""] = shown ?? item["probability"]?.doubleValue.map { 100 * $0 }
    }
    return found
  }

  @Test(.enabled(if: canDrop)) func theServicesPageShowsWhatTheServiceAnswers() throws {
    // All of them in one request would be too many.
    let service = try RunningService(
      ["--run", "runs/hipro", "--max-pictures", "1", "--traffic", "page-traffic.safetensors"], in: shop.folder)
    let all = try cards(try drop(on: service, "--screenshot", "page.png"))
    #expect(try shop.bytes("page.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
    for (file, card) in zip(pictures, all) {
      let answer = try service.ask("POST", "/classify?top=5", Data(contentsOf: file))
      let truth = answer.json?["pictures"]?.arrayValue?.first?["answers"]?.arrayValue ?? []
      let shown = card["answers"]?.arrayValue ?? []
      #expect(truth.count == 3 && shown.map { $0["task"] } == truth.map { $0["task"] }, "\(card)")
      for (box, row) in zip(shown, truth) {
        let (seen, said) = (box["classes"]?.arrayValue ?? [], row["classes"]?.arrayValue ?? [])
        #expect(!seen.isEmpty && seen.first?["name"] == said.first?["name"], "\(box) for \(row)")
        let (percents, expected) = (percentages(seen), percentages(said))
        #expect(percents.keys.sorted() == expected.keys.sorted())
        for (name, value) in expected {
          #expect(abs((percents[name] ?? -1) - value) < 0.051, "\(name): \(box) for \(row)")
        }
      }
    }
    // One task that is checked alone is named, and its pictures are traffic; those that all were asked about are not.
    let ink = try cards(try drop(on: service, "--task", "ink"))
    #expect(ink.allSatisfy { $0["answers"]?.arrayValue?.map { $0["task"]?.stringValue } == ["ink"] }, "\(ink)")
    #expect(try service.stop().code == 0)
    let traffic = try SafetensorsFile(contentsOf: shop.folder.appending(path: "page-traffic.safetensors"))
    #expect(traffic.metadata["tasks"] == #"["ink"]"#)
    #expect(traffic.entries["tasks.0.confidences"]?.shape == [pictures.count])
  }

  @Test(.enabled(if: canDrop)) func theServicesPageAsksForTheTokenFirst() throws {
    let token = "0123456789abcdef4567"
    try Data("\(token)\n".utf8).write(to: shop.folder.appending(path: "page-token"))
    let service = try RunningService(["--run", "runs/hipro", "--token-file", "page-token"], in: shop.folder)
    let refused = try drop(on: service)
    #expect(refused.code == 1 && refused.err.contains("asks for its token"), "\(refused)")
    let outcome = try drop(on: service, "--token", token)
    #expect(try cards(outcome).allSatisfy { $0["answers"]?.arrayValue?.count == 3 }, "\(outcome)")
    #expect(outcome.out.contains("\"asked_for_token\": true"))
  }

  @Test(.enabled(if: canDrop)) func theServicesPageWaitsWhereTheServiceIsFull() throws {
    // A picture in two seconds; the second of two that are sent at once is refused.
    let service = try RunningService(["--run", "runs/hipro", "--rate", "0.5"], in: shop.folder)
    let outcome = try drop(on: service)
    #expect(try cards(outcome).allSatisfy { $0["answers"]?.arrayValue?.count == 3 }, "\(outcome)")
    #expect(outcome.out.contains("Try 2 of 5"), "\(outcome)")
  }

  @Test(.enabled(if: browser != nil)) func lightAndDarkAreTwoPictures() throws {
    let made = try shop.run("report", "runs/hipro", "runs/coop", "--output", "shades.html")
    #expect(made.code == 0, "\(made)")
    let dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]
    for (name, more) in [("light", ["--blink-settings=preferredColorScheme=1"]), ("dark", dark)] {
      let outcome = try open("shades.html", more + ["--screenshot=\(name).png"])
      #expect(outcome.code == 0 && shop.exists("\(name).png"), "\(outcome)")
    }
    #expect(try shop.bytes("light.png") != shop.bytes("dark.png"))
  }
}
