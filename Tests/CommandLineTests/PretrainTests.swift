import BanyanFoundation
import BanyanTestSupport
import BanyanWorlds
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `banyan pretrain` as a user meets it.
@Suite struct PretrainTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  /// A table of pictures of 16 × 16, made where it is not there yet.
  private func table(_ name: String) throws -> String {
    let folder = shop.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var lines = ["path,caption,class"]
    let styles: [Style] = [.chalk, .ink, .watercolour, .blueprint]
    for object in [ObjectClass.fish, .key, .mug] {
      for number in 0..<20 {
        let (style, file) = (styles[number % 4], "\(object.rawValue)-\(number).png")
        try PictureWorld.png(of: object, style: style, number: number, side: 16)
          .write(to: folder.appendingPathComponent(file))
        lines.append("\(file),\(style.phrase) of a \(object.rawValue),\(object.rawValue)")
      }
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: folder.appendingPathComponent("captions.csv"))
    return "\(name)/captions.csv"
  }

  private let small = [
    "--threads", "1", "--batch-size", "16", "--warmup-steps", "4", "--set", "validationShare=0.2",
    "--set", "geometry.imageSize=16", "--set", "geometry.image.width=16", "--set", "geometry.image.layers=1",
    "--set", "geometry.text.width=16", "--set", "geometry.text.layers=1", "--set", "geometry.projection=16",
  ]

  private func pretrain(_ words: [String]) throws -> Program.Outcome {
    try Program.run(["pretrain"] + words, in: shop.folder)
  }

  @Test func whatComesOutIsAModelForTheOtherCommands() throws {
    let data = try table("captioned")
    let outcome = try pretrain(["--data", data, "--output", "made/clip", "--steps", "6"] + small)
    #expect(outcome.code == 0, "\(outcome)")
    #expect(outcome.out.contains("image to text R@1") && outcome.out.contains("zero-shot"))
    #expect(outcome.err.contains("banyan train --model"))
    let again = try pretrain(["--data", data, "--output", "made/clip", "--steps", "6"] + small)
    #expect(again.code == 1 && again.err.contains("--overwrite"))
    let json = try pretrain(
      ["--data", data, "--output", "made/clip", "--steps", "6", "--overwrite", "--quiet", "--format", "json"] + small)
    #expect(json.code == 0 && json.err.isEmpty, "\(json)")
    let record = try JSONDecoder().decode(JSONValue.self, from: Data(json.out.utf8))
    #expect(record["schema"]?.intValue == 1 && record[path: "settings.contrastive.steps"]?.intValue == 6)
    #expect(record[path: "data.heldOutPictures"]?.intValue == 12)
    let trained = try shop.train("made/run", model: "made/clip", method: "coop")
    #expect(trained.code == 0, "\(trained)")
  }

  @Test func controlCSavesAndSaysHowToGoOn() throws {
    let data = try table("interrupted")
    let words = ["--data", data, "--steps", "900"] + small
    let running = try Program.start(["pretrain", "--output", "made/stopped"] + words, in: shop.folder)
    eventually(within: 10) { running.said.contains("Step 250") || !running.process.isRunning }
    running.kill(SIGINT)
    let outcome = try running.finish()
    #expect(outcome.code == 130 && outcome.out.isEmpty, "\(outcome)")
    #expect(outcome.err.contains("banyan pretrain --resume"), "\(outcome)")
    #expect(shop.exists("made/stopped/pretraining/state.safetensors") && !shop.exists("made/stopped/config.json"))
    let resumed = try pretrain(["--resume", "--output", "made/stopped"])
    #expect(resumed.code == 0 && resumed.err.contains("goes on at step"), "\(resumed)")
    #expect(try pretrain(["--output", "made/whole"] + words).code == 0)
    #expect(try shop.bytes("made/stopped/model.safetensors") == shop.bytes("made/whole/model.safetensors"))
  }

  @Test func whatIsWrongIsNamedWithItsRemedy() throws {
    let data = try table("wrong")
    let cases: [(words: [String], code: Int32, text: String)] = [
      ([], 64, "--data"), (["--data", "absent.csv"], 66, "absent.csv"),
      (["--data", data, "--patch-dropping", "0.95"], 64, "patchDropping"),
      (["--data", data, "--set", "geometry.imagSize=32"], 64, "imageSize"),
      (["--data", data, "--epochs", "1", "--steps", "2"], 64, "--epochs"), (["--resume"], 66, "no training to resume"),
    ]
    for (words, code, text) in cases {
      let outcome = try pretrain(words + ["--output", "made/wrong"])
      #expect(outcome.code == code && outcome.err.contains(text), "\(words): \(outcome)")
      #expect(!shop.exists("made/wrong"), "\(words)")
    }
  }
}
