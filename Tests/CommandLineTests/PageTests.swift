import BanyanFoundation
import Foundation
import Testing

/// The report and the page of the service in a real browser.
@Suite struct PageTests {
  /// A Chromium; `make test` sets it where there is one.
  private static let browser = ProcessInfo.processInfo.environment["BANYAN_CHROMIUM"].flatMap { $0.isEmpty ? nil : $0 }
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

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
