import ArgumentParser
import BanyanCLIP
import BanyanFoundation
import BanyanWorlds
import Foundation

struct WorldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "world",
    abstract: "Draws a world of related tasks whose relatedness is known.",
    discussion: """
      Pictures of 28 objects in 15 styles, drawn from a seed: the same seed gives the same bytes. Tasks of one family \
      are variants of one style. The folder serves as --tasks of every command, its captions.csv as --data of \
      `banyan pretrain`, and its world.json says which tree was planted.

      Presets:
      \(WorldPreset.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
      """)

  @Option(
    help: ArgumentHelp(
      "Which tasks: \(WorldPreset.words) (default: mixed).", valueName: "name"), transform: WorldPreset.argument)
  var preset = WorldPreset.mixed

  @Option(help: ArgumentHelp("What all pictures are drawn from.", valueName: "number"))
  var seed: UInt64 = 7

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the world goes; may be left out with --sheet.", valueName: "folder"))
  var output: String?

  @Option(help: ArgumentHelp("Pictures of every class of every task.", valueName: "count"))
  var pictures = 30

  @Option(help: ArgumentHelp("Columns and rows of a picture.", valueName: "pixels"))
  var size = 64

  @Option(
    help: ArgumentHelp(
      "Also writes every picture's object mask (8 bits) and depth map (16 bits, near is bright) to this folder.",
      valueName: "folder"))
  var maps: String?

  @Option(help: ArgumentHelp("Writes a PNG with one row of pictures for every task.", valueName: "file"))
  var sheet: String?

  @Flag(help: "Makes the rows of the sheet all styles, with the same objects, instead of the tasks.")
  var styles = false

  @Flag(help: "Replace the world in the output folder, and the sheet.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "No progress and no notes.")
  var quiet = false

  func validate() throws {
    guard output != nil || sheet != nil else {
      throw ValidationError("Expected --output FOLDER, --sheet FILE or both, found neither.")
    }
    guard output != nil || maps == nil else { throw ValidationError("--maps belongs to the pictures of --output.") }
    guard sheet != nil || !styles else { throw ValidationError("--styles says what --sheet shows; name its file.") }
  }

  func run() throws {
    let world = World(preset, seed: seed)
    // Refused before the drawing, not after.
    if let sheet, !overwrite, FileManager.default.fileExists(atPath: sheet) {
      throw BanyanError(
        .failed, at: sheet, "the file is there already", remedy: "Name another, or replace it with --overwrite.")
    }
    if let output { try write(world, to: output) }
    if let sheet {
      let drawn =
        styles
        ? try ContactSheet(styles: Style.allCases, seed: seed, side: size) : try ContactSheet(world, side: size)
      let image = try PixelImage(width: drawn.width, height: drawn.height, pixels: drawn.pixels)
      let file = URL(fileURLWithPath: sheet)
      try AtomicFile.createFolder(file.deletingLastPathComponent())
      try AtomicFile.write(try ImageEncoder.png(image), to: file)
      Terminal.result(file.path)
    }
  }

  private func write(_ world: World, to output: String) throws {
    let folder = URL(fileURLWithPath: output)
    let writer = try WorldFolder(world, side: size, picturesPerClass: pictures)
    let total = writer.pictureCount
    let elapsed = ElapsedTime()
    let progress = CountProgress("drawing", total: total, isQuiet: quiet)
    defer { progress.finish() }
    try writer.write(
      to: folder, maps: maps.map { URL(fileURLWithPath: $0) }, replacing: overwrite, encoders: .png,
      progress: { progress.report($0) })
    progress.finish()
    if !quiet {
      Terminal.note("\(total) pictures of \(world.tasks.count) tasks in \(String(format: "%.1f", elapsed.seconds)) s.")
      Terminal.note("Planted: \(world.plantedTree)")
      Terminal.note("Next:\n  banyan train --model CLIP --tasks \(ShellWord.quoted(output)) --method hipro --shots 4")
    }
    Terminal.result(folder.path)
  }
}

extension WorldFolder.Encoders {
  /// PNG files.
  static var png: WorldFolder.Encoders {
    WorldFolder.Encoders(
      picture: { try ImageEncoder.png(PixelImage(width: $0, height: $0, pixels: $1)) },
      mask: { try ImageEncoder.png(grey: $1, width: $0, height: $0) },
      depth: { try ImageEncoder.png(grey16: $1, width: $0, height: $0) })
  }
}
