import BanyanFoundation
public import Foundation

/// One self-contained page about some runs: what each method brings and costs, how tasks relate, where it can be trusted.
///
/// Unlike ``ComparisonTable``, which is one table, it shows figures too. It is drawn from records alone, needs no network, and
/// is the same to the byte for the same records.
public struct ReportPage: Sendable {
  private let runs: [NamedRecord]
  private let table: ComparisonTable
  private let sections: [Section]

  private struct Section: Sendable {
    var heading: String
    var lead: String
    var figures: [Drawing]
    /// What stands below the figures, as HTML.
    var more: [String] = []
  }

  /// What was found by one network about what tasks ask of it.
  public struct Embedded: Sendable {
    /// Norms and distances.
    public var table: EmbeddingTable
    /// The tasks in the plane.
    public var map: MapRecord

    /// Describes what was found.
    public init(table: EmbeddingTable, map: MapRecord) { (self.table, self.map) = (table, map) }
  }

  /// Draws all figures that the records allow.
  ///
  /// - Parameters:
  ///   - runs: The runs, in the order of the tables.
  ///   - embeddings: Embeddings of tasks, one file each.
  ///   - picture: Finds a small PNG of a test image of a run, so that mistakes can be shown; `nil` shows none.
  /// - Throws: A `BanyanError` where a record's tree or affinities are damaged, or there is no run.
  public init(
    _ runs: [NamedRecord], embeddings: [Embedded] = [],
    picture: (NamedRecord, RecordedSample) -> Data? = { _, _ in nil }
  ) throws {
    guard !runs.isEmpty else { throw BanyanError(.missingInput, at: "report", "there is no run to report on") }
    self.runs = runs
    table = ComparisonTable(runs)
    // Runs that found the same affinities and the same structure share one figure.
    let affinities = try AffinityFigure.distinct(runs).enumerated().map { try $1.drawing(name: "affinity-\($0 + 1)") }
    let training = runs.compactMap(TrainingFigure.init)
    let reliability = runs.compactMap(ReliabilityFigure.init)
    let landscapes = runs.flatMap(\.landscapes)
    let maps = runs.flatMap(\.maps)
    let best = runs.max { ($0.record.average.top1, $1.name) < ($1.record.average.top1, $0.name) }
    let confusions = best.map { run in run.record.taskNames.compactMap { ConfusionFigure(run, task: $0) } } ?? []
    sections = [
      Section(
        heading: "What accuracy costs",
        lead:
          "Up is better, left is cheaper. Areas grow with what is trained; bars are one standard deviation over seeds.",
        figures: [CostFigure(table).drawing(name: "cost")]),
      Section(
        heading: "How many pictures it takes",
        lead: "Each line is a method, bands are one standard deviation over seeds.",
        figures: ShotFigure(runs).map { [$0.drawing(name: "shots")] } ?? []),
      Section(
        heading: "Task by task",
        lead: "Where a method's dots lie to the right on some rows only, it helps those tasks alone.",
        figures: [TaskFigure(table).drawing(name: "tasks")]),
      Section(
        heading: "Which tasks help each other",
        lead:
          "Light cells are tasks whose gradients agree: what one learns, helps the other. The tree joins the nearest first.",
        figures: affinities),
      Section(
        heading: "Which tasks ask for the same",
        lead:
          "Tasks are compared by the information that they hold about a fixed network (Task2Vec), without training together: "
          + "light cells are tasks that ask the same filters. The tree joins the nearest first.",
        figures: try embeddings.enumerated().flatMap { place, embedded in
          try [AffinityFigure(embedded.table)?.drawing(name: "embeddings-\(place + 1)")].compactMap(\.self)
            + [MapFigure(embedded.map).drawing(name: "embeddings-map-\(place + 1)")]
        }, more: embeddings.flatMap { $0.table.html }),
      Section(
        heading: "What lies near what",
        lead: "Near ones are alike; distances across the picture say little, and its axes nothing.",
        figures: maps.enumerated().map { MapFigure($1).drawing(name: "map-\($0 + 1)") }),
      Section(
        heading: "Can its confidence be trusted?",
        lead:
          "Bars are how often it was right, marks how sure it was. Marks above the bars: too sure. Paler bars hold fewer "
          + "predictions.", figures: reliability.enumerated().map { $1.drawing(name: "reliability-\($0 + 1)") }),
      Section(
        heading: "Where it fails",
        lead: best.map {
          "What \(MarkupText.escaped("\($0.record.methodTitle) (\($0.name))")), the run with the highest average, takes for what. "
            + "Off the diagonal, light is often."
        } ?? "",
        figures: confusions.count > Self.mostMatrices
          ? [] : confusions.enumerated().compactMap { $1.drawing(name: "confusion-\($0 + 1)") },
        more: best.map { Self.worstConfusions(confusions, of: $0, picture: picture) } ?? []),
      Section(
        heading: "How flat is what was found?",
        lead:
          "The plane through the classifier of a random prompt, the shared and the task's own one. Wide valleys forgive small "
          + "changes; small discs are the nodes of the tree, moved to their nearest point of the plane.",
        figures: landscapes.enumerated().map {
          LandscapeFigure($1, of: landscapes.count).drawing(name: "landscape-\($0 + 1)")
        }),
      Section(
        heading: "What the prompts lie near",
        lead:
          "The words of the vocabulary nearest to each learned vector, and how far. A vector need not mean anything.",
        figures: [], more: Self.words(runs)),
      Section(
        heading: "How training went", lead: "The loss of each task; first seed.",
        figures: training.enumerated().map { $1.drawing(name: "training-\($0 + 1)") }),
    ].filter { !$0.figures.isEmpty || !$0.more.isEmpty }
  }

  /// With more tasks their matrices are left to the table below them.
  private static let mostMatrices = 12
  /// How many confusions are listed in all.
  private static let mostConfusions = 24

  private static func words(_ runs: [NamedRecord]) -> [String] {
    runs.flatMap { run in
      run.words.flatMap { record in
        let rows = record.prompts.map { prompt in
          let vectors = prompt.vectors.map { words in
            words.map { "\($0.word) (\(NumberText.fixed($0.distance, 2)))" }.joined(separator: ", ")
          }
          let cells = vectors.map { "<li>\(MarkupText.escaped(TextWidth.printable($0)))</li>" }
          return "<dt>\(MarkupText.escaped(TextWidth.printable(prompt.name)))</dt><dd><ol>\(cells.joined())</ol></dd>"
        }
        let title = "\(run.record.methodTitle) (\(run.name)), seed \(record.seed)"
        return [
          "<details><summary>\(MarkupText.escaped(TextWidth.printable(title)))</summary>",
          "<p>Two words that are nearest to each other are typically \(NumberText.fixed(record.typicalDistance, 2)) apart.</p>",
          "<dl>",
        ] + rows + ["</dl></details>"]
      }
    }
  }

  /// The worst confusions as a table, each with a picture where there is one.
  private static func worstConfusions(
    _ figures: [ConfusionFigure], of run: NamedRecord, picture: (NamedRecord, RecordedSample) -> Data?
  ) -> [String] {
    let each = max(1, mostConfusions / max(1, figures.count))
    let pairs = figures.flatMap { figure in figure.worst(each).map { (figure, $0) } }
      .sorted { ($0.1.share, $0.1.count) > ($1.1.share, $1.1.count) }.prefix(mostConfusions)
    guard !pairs.isEmpty else { return [] }
    let rows = pairs.map { figure, pair in
      let (truth, taken) = (figure.classNames[pair.label], figure.classNames[pair.predicted])
      let example = figure.example(of: pair)
      let bytes = example.flatMap { picture(run, $0.image) }
      let sure = example.map { "\(NumberText.percent($0.mistake.confidence)) % sure" } ?? ""
      let shown = bytes.map {
        "<img src=\"data:image/png;base64,\($0.base64EncodedString())\" width=\"72\" height=\"72\" alt=\"\(MarkupText.escaped(TextWidth.printable("\(truth) taken for \(taken)")))\">"
      }
      return "<tr><th scope=\"row\">\(MarkupText.escaped(TextWidth.printable(figure.task)))</th>"
        + "<td>\(MarkupText.escaped(TextWidth.printable(truth)))</td><td>\(MarkupText.escaped(TextWidth.printable(taken)))</td>"
        + "<td>\(pair.count)</td><td>\(NumberText.percent(pair.share)) %</td><td>\(shown ?? "") \(sure)</td></tr>"
    }
    return [
      "<div class=\"wide\"><table>",
      "<caption>The worst confusions, all seeds together; with the surest mistake.</caption>",
      "<thead><tr><th scope=\"col\">Task</th><th scope=\"col\">Class</th><th scope=\"col\">taken for</th>"
        + "<th scope=\"col\">times</th><th scope=\"col\">of the class</th><th scope=\"col\">example</th></tr></thead>",
      "<tbody>",
    ] + rows + ["</tbody></table></div>"]
  }

  /// Every figure, in the order of the page.
  package var figures: [Drawing] { sections.flatMap(\.figures) }

  /// Every figure as a file of its own: its name and its contents.
  public var svgFiles: [(name: String, data: Data)] {
    figures.map { ("\($0.name).svg", Data($0.svg(isAlone: true).utf8)) }
  }

  /// The page.
  public var html: Data {
    let tasks = table.tasks.count
    let title = "\(runs.count == 1 ? "One run" : "\(runs.count) runs") on \(tasks) task\(tasks == 1 ? "" : "s")"
    var lines = [
      "<!doctype html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
      "<meta name=\"color-scheme\" content=\"light dark\">", "<title>Banyan: \(title)</title>",
      "<style>\(Palette.style)\(PageStyle.css)</style>", "</head>", "<body>", "<main>", "<h1>\(title)</h1>",
      "<p>\(answer)</p>",
    ]
    lines += notes
    lines += methodTable
    for section in sections {
      lines += ["<section>", "<h2>\(section.heading)</h2>", "<p>\(section.lead)</p>", "<div class=\"figures\">"]
      lines += section.figures.map {
        "<figure id=\"\($0.name)\"><figcaption>\(MarkupText.escaped($0.title))</figcaption>\($0.svg(isAlone: false))</figure>"
      }
      lines += ["</div>"] + section.more + ["</section>"]
    }
    lines += provenance + ["</main>", "<script>\(PageStyle.script)</script>", "</body>", "</html>"]
    return Data((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// The first thing that a reader wants to know.
  private var answer: String {
    let ranked = table.rows.sorted { $0.average > $1.average }
    guard let best = ranked.first else { return "" }
    func named(_ row: ComparisonTable.Row) -> String {
      "<strong>\(MarkupText.escaped(row.label))</strong> (\(NumberText.percent(row.average, spread: row.averageStd)) %)"
    }
    guard let second = ranked.dropFirst().first else { return "Average top-1 over tasks: \(named(best))." }
    guard table.notes.isEmpty else {
      return "These runs differ in more than their methods; no one of them is named best."
    }
    let gap = best.average - second.average
    let spread = max(best.averageStd ?? 0, second.averageStd ?? 0)
    let cheapest = ranked.filter { best.average - $0.average <= max(best.averageStd ?? 0, $0.averageStd ?? 0) }
      .min { $0.trainableParameters < $1.trainableParameters }
    var text = "Highest average top-1: \(named(best)), then \(named(second))"
    text += gap > spread ? ", farther apart than seeds are." : "; seeds differ by as much, so take them for equal."
    if let cheapest, cheapest.run != best.run || cheapest.label != best.label {
      text += " Within that spread \(named(cheapest)) trains least."
    }
    return text
  }

  /// Why the runs do not compare fairly; a long list is folded.
  private var notes: [String] {
    let notes = table.notes.map { MarkupText.escaped(TextWidth.printable($0)) }
    guard notes.count > 3 else { return notes.map { "<p class=\"note\">Not a fair comparison: \($0)</p>" } }
    return [
      "<details class=\"note\"><summary>Not a fair comparison, for \(notes.count) reasons</summary><ul>",
      notes.map { "<li>\($0)</li>" }.joined(separator: "\n"), "</ul></details>",
    ]
  }

  private var methodTable: [String] {
    // With many tasks the figure below has them; a table as wide would not be read.
    let tasks = table.tasks.count <= 12 ? Array(table.tasks.enumerated()) : []
    let headings = ["Method", "Average", "Trained", "Time", "Memory"] + tasks.map(\.element)
    var lines = [
      "<section>", "<h2>Methods</h2>", "<div class=\"wide\"><table class=\"sortable\">",
      "<caption>Top-1 in percent, mean ± standard deviation over seeds; the best of a column is bold, the second underlined."
        + "</caption>", "<thead><tr>",
    ]
    lines += headings.map { "<th scope=\"col\"><button type=\"button\">\(MarkupText.escaped($0))</button></th>" }
    lines += ["</tr></thead>", "<tbody>"]
    for (row, run) in zip(table.rows, runs) {
      var cells = [
        "<th scope=\"row\" data-value=\"\(MarkupText.escaped(row.label))\">\(MarkupText.escaped(row.label))</th>"
      ]
      cells.append(accuracy(row.average, row.averageStd, table.rows.map(\.average)))
      let memory = run.record.measured.peakMemoryBytes
      cells.append(number(Double(row.trainableParameters), NumberText.short(row.trainableParameters)))
      cells.append(number(row.seconds, row.seconds.map(NumberText.duration) ?? "–"))
      cells.append(number(Double(memory), memory > 0 ? "\(NumberText.grouped(memory >> 20)) MiB" : "–"))
      cells += tasks.map { column, _ in
        accuracy(row.tasks[column], row.taskStds[column], table.rows.map { $0.tasks[column] })
      }
      lines.append("<tr>\(cells.joined())</tr>")
    }
    return lines + ["</tbody></table></div>", "</section>"]
  }

  private func accuracy(_ value: Double?, _ spread: Double?, _ column: [Double?]) -> String {
    guard let value else { return number(nil, "–") }
    let text = NumberText.percent(value, spread: spread)
    let ranks = Set(column.compactMap { $0.map(NumberText.percent) }).sorted { (Double($0) ?? 0) > (Double($1) ?? 0) }
    let rank = ranks.firstIndex(of: NumberText.percent(value)) ?? ranks.count
    let isAlone = column.count < 2
    return number(value, isAlone || rank > 1 ? text : rank == 0 ? "<b>\(text)</b>" : "<u>\(text)</u>")
  }

  private func number(_ value: Double?, _ text: String) -> String {
    "<td data-value=\"\(value.map { NumberText.fixed($0, 6) } ?? "")\">\(text)</td>"
  }

  private var provenance: [String] {
    var lines = ["<section>", "<h2>What was run</h2>"]
    for run in runs {
      let record = run.record
      let facts = [
        ("Command", "<code>\(MarkupText.escaped(TextWidth.printable(ShellWord.line(record.command))))</code>"),
        ("Backbone", MarkupText.escaped(TextWidth.printable("\(record.model.description), \(record.model.path)"))),
        ("Weights", "<code>\(MarkupText.escaped(String(record.model.sha256.prefix(16))))…</code>"),
        ("Seeds", record.seeds.map(String.init).joined(separator: ", ")),
        ("Machine", "\(record.device), \(record.threads) thread\(record.threads == 1 ? "" : "s")"),
        ("Made", MarkupText.escaped("\(record.createdAt), banyan \(record.banyan), \(record.engine)")),
      ]
      lines.append("<details><summary>\(MarkupText.escaped("\(record.methodTitle) (\(run.name))"))</summary><dl>")
      lines += facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }
      lines.append("</dl></details>")
    }
    return lines + ["</section>"]
  }
}
