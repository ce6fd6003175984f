import ArgumentParser
import BanyanFoundation
import BanyanPainting
import BanyanReports
import BanyanTraining
import Foundation

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes one page about runs: methods, costs, tasks and how they relate.",
    discussion: """
      The page holds everything it shows: it opens without a network, in light and dark, and prints. Drawn from the runs' \
      records alone; beside the worst confusions stand test images, as long as they are where the run found them.

        banyan report runs/* --output report.html
        banyan report runs/* --embeddings embeddings.json   with what `banyan embed` found
        banyan report runs/* --figures figures        each figure as an SVG and a PNG file too
      """)

  @Argument(help: "Folders of finished runs.")
  var runs: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("Where the page is written.", valueName: "file"), completion: .file())
  var output = "report.html"

  @Option(
    help: ArgumentHelp("A file that `banyan embed` wrote; may be repeated.", valueName: "file"), completion: .file())
  var embeddings: [String] = []

  @Flag(help: "Show no test images beside the worst confusions.")
  var noPictures = false

  @Option(help: ArgumentHelp("Also write each figure into this folder.", valueName: "folder"), completion: .directory)
  var figures: String?

  func run() throws {
    let embeddings = try embeddings.map { try EmbeddingRecord.read(URL(fileURLWithPath: $0)) }
    let page = try ReportPage(
      NamedRecord.readAll(runs) { Terminal.note("note: left out \($0)") },
      embeddings: embeddings.map { .init(table: try EmbeddingTable($0), map: try MapRecord($0)) },
      picture: { run, sample in noPictures ? nil : Thumbnails.png(of: sample, in: run) })
    try AtomicFile.write(page.html, to: URL(fileURLWithPath: output))
    Terminal.note("Wrote \(output).")
    guard let figures else { return }
    let folder = URL(fileURLWithPath: figures)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let files = page.svgFiles
    for file in files { try AtomicFile.write(file.data, to: folder.appending(path: file.name)) }
    for figure in page.figures {
      try AtomicFile.write(FigurePainter()(figure).png, to: folder.appending(path: "\(figure.name).png"))
    }
    Terminal.note("Wrote \(files.count) figures into \(figures), as SVG and as PNG.")
  }
}
