import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import BanyanWorlds
import Foundation
import Testing

/// Pre-training from captions to a checkpoint.
@Suite(.serialized) struct PretrainingTests {
  private let world: PretrainingWorld

  init() throws { world = try PretrainingWorld.open() }

  @Test func itLearnsWhatTheCaptionsSay() throws {
    let place = world.place()
    let record = try world.run(
      world.settings {
        $0.warmup.steps = 80
        $0.contrastive.steps = 120
        $0.validation.every = 0
        // A look is learned in seconds; what an object is takes more pictures.
        $0.validation.attribute = "style"
        $0.validation.templates = PretrainingWorld.objects.map { "a picture of a \($0.rawValue) in {}" }
      }, at: place)
    let losses = record.losses.filter { $0.phase == "contrastive" }.map(\.loss)
    // The same captions occur twice in a batch, so that zero cannot be reached.
    #expect(losses.count == 120 && losses.suffix(10).reduce(0, +) < 0.8 * losses.prefix(10).reduce(0, +))
    let last = try #require(record.validations.last)
    #expect(record.validations.count == 1 && last.step == 120)
    #expect(last.retrieval.pictures == 64 && last.retrieval.captions == 16)
    // Chance finds one of sixteen, and one of four looks.
    #expect(last.retrieval.imageToText1 > 0.2 && last.retrieval.textToImage1 > 0.2, "\(last)")
    #expect((last.zeroShot ?? 0) > 0.5 && last.zeroShotClasses == 4, "\(last)")
    #expect((record.attributeAccuracy["style"] ?? 0) > 0.6 && record.attributeAccuracy.count == 2)
  }

  @Test func theFolderIsAClipThatTheOtherCommandsTake() throws {
    let place = world.place()
    let record = try world.run(world.settings(), at: place)
    let checkpoint = try Checkpoint(folder: place)
    let model = try checkpoint.model()
    let tokenizer = try CLIPTokenizer(folder: place)
    #expect(tokenizer.vocabularySize == record.vocabularySize && tokenizer.contextLength == 12)
    #expect(model.parameters.parameterCount == record.parameters)
    #expect(try checkpoint.fingerprint() == record.modelSHA256)
    #expect(record.parameters == CLIPParameters.shapes(model.configuration).values.map { $0.reduce(1, *) }.reduce(0, +))
    _ = try ImagePreprocessor(contentsOf: place.appendingPathComponent("preprocessor_config.json"))
    let readme = try String(contentsOf: place.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(readme.contains(record.modelSHA256) && readme.contains("image to text"))
    let left = try FileManager.default.contentsOfDirectory(atPath: place.appendingPathComponent("pretraining").path)
    #expect(left.sorted() == ["record.json", "settings.json"])
    // The record is the one on the disk, and a finished training is not taken up again.
    #expect(try world.run(world.settings(), at: place, .resume) == record)
    // A step was taken: these are not the weights that the same seed starts from.
    let start = world.place()
    _ = try world.run(
      world.settings {
        $0.warmup.steps = 0
        $0.contrastive.steps = 0
      }, at: start)
    let initial = try Checkpoint(folder: start).model().parameters
    #expect(try model.parameters.differingPaths(from: initial).count == model.parameters.count)
    #expect(abs(try initial.require("logitScale").item() - log(1 / 0.07)) < 1e-6)
  }

  @Test func theSameSeedGivesTheSameBytesAndAnotherSeedOthers() throws {
    let places = (0..<3).map { _ in world.place() }
    let change: (inout PretrainingSettings) -> Void = { $0.patchDropping = 0.5 }
    let first = try world.run(world.settings(change), at: places[0])
    let second = try world.run(world.settings(change), at: places[1])
    #expect(try world.weights(places[0]) == world.weights(places[1]))
    #expect(first.comparable() == second.comparable())
    _ = try world.run(
      world.settings {
        change(&$0)
        $0.seed = 2
      }, at: places[2])
    #expect(try world.weights(places[0]) != world.weights(places[2]))
  }

  @Test(arguments: [0, 1, 6, 10, 11, 17, 19])
  func stoppedAndContinuedItEndsWithTheSameBytes(_ step: Int) throws {
    let settings = world.settings {
      $0.patchDropping = 0.25
      $0.saveEvery = 3
    }
    let (whole, pieces) = (world.place(), world.place())
    let record = try world.run(settings, at: whole)
    // One question is asked before pictures are decoded.
    let error = #expect(throws: BanyanError.self) { try world.run(settings, at: pieces, steps: step + 1) }
    #expect(error?.kind == .interrupted)
    #expect(!FileManager.default.fileExists(atPath: pieces.appendingPathComponent("config.json").path))
    let resumed = try world.run(settings, at: pieces, .resume)
    #expect(resumed.comparable() == record.comparable(), "stopped at \(step)")
    #expect(try world.weights(pieces) == world.weights(whole), "stopped at \(step)")
  }

  @Test func otherSettingsAndOtherPicturesAreNotGoneOnWith() throws {
    let place = world.place()
    #expect(throws: BanyanError.self) { try world.run(world.settings(), at: place, steps: 5) }
    let other = #expect(throws: BanyanError.self) {
      try world.run(world.settings { $0.patchDropping = 0.5 }, at: place, .resume)
    }
    #expect(other?.kind == .usage && other?.message.contains("patchDropping") == true)
    let table = world.folder.appendingPathComponent("fewer.csv")
    let lines = try String(contentsOf: world.table, encoding: .utf8).split(separator: "\n")
    try Data((lines.dropLast(2).joined(separator: "\n") + "\n").utf8).write(to: table)
    let moved = #expect(throws: BanyanError.self) {
      try world.run(world.settings { $0.data = table.path }, at: place, .resume)
    }
    #expect(moved?.kind == .usage && moved?.message.contains("other pictures") == true, "\(String(describing: moved))")
    let again = #expect(throws: BanyanError.self) { try world.run(world.settings(), at: place) }
    #expect(again?.remedy.contains("--resume") == true)
    _ = try world.run(world.settings(), at: place, .overwrite)
  }

  @Test func aGivenTokenizerIsUsedAndAnotherIsNotGoneOnWith() throws {
    let (learned, given, place) = (world.place(), world.place(), world.place())
    _ = try world.run(world.settings(), at: learned)
    try FileManager.default.createDirectory(at: given, withIntermediateDirectories: true)
    for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
      try FileManager.default.copyItem(at: learned.appending(path: name), to: given.appending(path: name))
    }
    let settings = world.settings {
      $0.tokenizer = given.path
      // Without a tokenizer it would learn fewer.
      $0.geometry.vocabularySize = 560
    }
    #expect(throws: BanyanError.self) { try world.run(settings, at: place, steps: 5) }
    let merges = given.appending(path: "merges.txt")
    let original = try String(contentsOf: merges, encoding: .utf8)
    var lines = original.split(separator: "\n", omittingEmptySubsequences: false)
    lines.swapAt(2, 3)
    try Data(lines.joined(separator: "\n").utf8).write(to: merges)
    let moved = #expect(throws: BanyanError.self) { try world.run(settings, at: place, .resume) }
    #expect(
      moved?.kind == .usage && moved?.message.contains("another tokenizer") == true, "\(String(describing: moved))")
    try Data(original.utf8).write(to: merges)
    let record = try world.run(settings, at: place, .resume)
    let files = try TokenizerFiles(folder: given)
    #expect(try record.vocabularySize == files.vocabularySize && TokenizerFiles(folder: place).merges == files.merges)
  }

  @Test func badSettingsAreRefusedByName() throws {
    let cases: [(key: String, change: (inout PretrainingSettings) -> Void)] = [
      ("batchSize", { $0.batchSize = 1 }), ("patchDropping", { $0.patchDropping = 0.95 }),
      ("geometry.imageSize", { $0.geometry.imageSize = 18 }), ("geometry.text.heads", { $0.geometry.text.heads = 3 }),
      ("warmup.attributes: color", { $0.warmup.attributes = ["color"] }),
      ("validation.templates", { $0.validation.templates = ["a photo"] }),
      ("contrastive.labelSmoothing", { $0.contrastive.labelSmoothing = 1 }), ("--data", { $0.data = "" }),
    ]
    for (key, change) in cases {
      let place = world.place()
      let error = #expect(throws: BanyanError.self) { try world.run(world.settings(change), at: place) }
      #expect(error?.kind == .usage && error?.subject.hasPrefix(key) == true, "\(key): \(String(describing: error))")
      #expect(!FileManager.default.fileExists(atPath: place.path))
    }
    let unknown = #expect(throws: BanyanError.self) {
      try PretrainingSettings(.object(["patchDroping": .number(0.5)]), subject: "file")
    }
    #expect(unknown?.remedy.contains("patchDropping") == true)
    let absent = #expect(throws: BanyanError.self) {
      try world.run(world.settings { $0.data = "/no/such/table.csv" }, at: world.place())
    }
    #expect(absent?.kind == .missingInput)
  }
}
