import BanyanFoundation
import Foundation
import Testing

/// `banyan world` as a user meets it, and what the other commands make of its folder.
@Suite struct WorldTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private func world(_ words: String...) throws -> Program.Outcome {
    try Program.run(["world"] + words, in: shop.folder)
  }

  @Test func theFolderServesTheOtherCommands() throws {
    let drawn = try world("--output", "drawn/served", "--pictures", "5", "--size", "32", "--preset", "mixed")
    #expect(drawn.code == 0 && drawn.out.hasSuffix("drawn/served\n"), "\(drawn)")
    #expect(drawn.err.contains("banyan train") && drawn.err.contains("Planted: ("), "\(drawn)")
    let summary = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("drawn/served/world.json"))
    #expect(summary["picturesPerClass"]?.intValue == 5 && summary["seed"]?.intValue == 7)
    let table = String(decoding: try shop.bytes("drawn/served/captions.csv"), as: UTF8.self).split(separator: "\n")
    #expect(table.count == 162 * 5 + 1)
    for row in table.dropFirst() { #expect(shop.exists("drawn/served/\(row.prefix { $0 != "," })"), "\(row)") }
    let run = try Program.run(
      [
        "train", "--model", Workshop.model, "--tasks", "drawn/served", "--method", "zero-shot", "--shots", "2",
        "--threads", "1", "--output", "drawn/run",
      ], in: shop.folder)
    #expect(run.code == 0 && run.out.contains("night-grainy"), "\(run)")
    let learned = try Program.run(
      [
        "pretrain", "--data", "drawn/served/captions.csv", "--output", "drawn/clip", "--steps", "2", "--threads", "1",
        "--batch-size", "16", "--warmup-steps", "1", "--set", "geometry.imageSize=16", "--set",
        "geometry.image.width=16", "--set", "geometry.image.layers=1", "--set", "geometry.text.width=16", "--set",
        "geometry.text.layers=1", "--set", "geometry.projection=16",
      ], in: shop.folder)
    #expect(learned.code == 0, "\(learned)")
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    let words = ["--pictures", "1", "--size", "32", "--quiet", "--preset", "strangers"]
    for name in ["a", "b"] {
      let outcome = try Program.run(
        ["world", "--output", "drawn/\(name)", "--maps", "drawn/\(name)-maps", "--sheet", "drawn/\(name).png"] + words,
        in: shop.folder)
      #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
    }
    let (a, b) = (try shop.lasting("drawn/a"), try shop.lasting("drawn/b"))
    #expect(a == b && a.count == 8 * 28 + 3)
    #expect(try shop.lasting("drawn/a-maps") == shop.lasting("drawn/b-maps"))
    #expect(try shop.bytes("drawn/a.png") == shop.bytes("drawn/b.png"))
    let other = try Program.run(
      ["world", "--output", "drawn/a", "--overwrite", "--seed", "8"] + words, in: shop.folder)
    #expect(other.code == 0, "\(other)")
    #expect(try shop.bytes("drawn/a/pencil/mug/0001.png") != shop.bytes("drawn/b/pencil/mug/0001.png"))
  }

  @Test func aSheetNeedsNoFolder() throws {
    for words in [["--preset", "mixed"], ["--styles"]] {
      let outcome = try Program.run(
        ["world", "--sheet", "drawn/sheet.png", "--size", "32", "--overwrite"] + words, in: shop.folder)
      #expect(outcome.code == 0 && outcome.out.hasSuffix("drawn/sheet.png\n") && outcome.err.isEmpty, "\(outcome)")
      #expect(try shop.bytes("drawn/sheet.png").prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
    }
    let again = try world("--sheet", "drawn/sheet.png")
    #expect(again.code == 1 && again.err.contains("--overwrite"), "\(again)")
  }

  @Test func whatIsWrongIsNamedWithItsRemedy() throws {
    try FileManager.default.createDirectory(
      at: shop.folder.appendingPathComponent("drawn/mine"), withIntermediateDirectories: true)
    try Data("years".utf8).write(to: shop.folder.appendingPathComponent("drawn/mine/thesis.txt"))
    let cases: [(words: [String], text: String)] = [
      ([], "--sheet"), (["--output", "drawn/x", "--size", "8"], "--size 8"),
      (["--output", "drawn/x", "--pictures", "0"], "--pictures 0"), (["--output", "drawn/mine"], "not empty"),
      (["--output", "drawn/mine", "--overwrite"], "something else"),
      (["--output", "drawn/mine/thesis.txt", "--overwrite"], "found a file"),
      (["--output", "drawn/x", "--maps", "drawn/x/maps"], "lie in each other"),
      (["--output", "drawn/x", "--styles"], "--sheet"), (["--sheet", "drawn/x.png", "--maps", "drawn/m"], "--output"),
      (["--output", "drawn/x", "--preset", "planets"], "planets"),
    ]
    for (words, text) in cases {
      let outcome = try Program.run(["world"] + words, in: shop.folder)
      #expect(outcome.code == 64 && outcome.err.contains(text), "\(words): \(outcome)")
      #expect(!shop.exists("drawn/x") && !shop.exists("drawn/x.png"), "\(words)")
    }
    #expect(try shop.bytes("drawn/mine/thesis.txt") == Data("years".utf8))
  }
}
