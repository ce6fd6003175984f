import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

/// What a user does with runs, from training to scoring again.
@Suite struct RunTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private func json(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(outcome.out.utf8))
  }

  @Test(arguments: Workshop.methods)
  func trainingPrintsATableAndLeavesARecord(_ method: String) throws {
    let outcome = try #require(shop.trained[method])
    #expect(outcome.code == 0, "\(outcome)")
    for word in ["Method", "chalk", "ink", "watercolour", "Average", "±"] { #expect(outcome.out.contains(word)) }
    // The first run fills the cache that the others read.
    #expect(
      !outcome.out.contains("Image features") && outcome.err.contains("Image features") == (method == "zero-shot"))
    #expect(outcome.err.contains("Seed 1 (1 of 2)"))
    let files = try shop.lasting("runs/\(method)").keys.sorted()
    let each = ["classifiers.safetensors", "prompts.json", "prompts.safetensors", "result.json"]
    #expect(
      files == [".lock", "experiment.json", "record.json"] + [1, 2].flatMap { s in each.map { "seed-\(s)/\($0)" } })
  }

  @Test(arguments: Workshop.methods)
  func theRecordHasThePromisedKeys(_ method: String) throws {
    let record = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("runs/\(method)/record.json"))
    #expect(record["schema"]?.intValue == 1)
    #expect(record["method"]?.stringValue == method)
    #expect(record["seeds"]?.arrayValue?.compactMap(\.intValue) == [1, 2])
    var sum = 0.0
    for task in shop.world.tasks {
      sum += try #require(record[path: "tasks.\(task).top1"]?.doubleValue)
      #expect(record[path: "tasks.\(task).testSamples"]?.intValue == 18)
    }
    let average = try #require(record[path: "average.top1"]?.doubleValue)
    #expect(abs(average - sum / 3) < 1e-12)
    // Two tokens of the text tower's width.
    let context = 2 * 128
    let prompts = ["zero-shot": 0, "coop": 3, "coop-mt": 1, "hipro": 5]
    #expect(record["trainableParameters"]?.intValue == (prompts[method] ?? -1) * context)
    #expect((record[path: "measured.wallSeconds.total"]?.doubleValue ?? 0) > 0)
    #expect((record[path: "measured.peakMemoryBytes"]?.intValue ?? 0) > 10_000_000)
    for key in ["banyan", "engine", "createdAt", "command", "experiment", "model", "device", "threads"] {
      #expect(record[key] != nil, "\(key)")
    }
    let runs = try #require(record["runs"]?.arrayValue)
    #expect(runs.count == 2)
    for run in runs {
      #expect((run["tree"] != nil) == (method == "hipro"))
      let splits = try #require(run["split"]?.arrayValue)
      #expect(splits.map { $0["task"]?.stringValue } == shop.world.tasks)
      for split in splits {
        let parts = ["train", "validation", "test"].map { split[$0]?.arrayValue ?? [] }
        #expect(parts.map(\.count) == [12, 12, 18])
        let hashes = parts.joined().compactMap { $0["sha256"]?.stringValue }
        #expect(hashes.count == 42 && Set(hashes).count == 42)
        #expect(hashes.allSatisfy { $0.count == 64 })
      }
    }
  }

  @Test(arguments: ["coop", "hipro"])
  func theSameSeedTwiceGivesTheSameBytesWhateverTheCacheHolds(_ method: String) throws {
    let cold = try shop.train("again/\(method)", method: method, ["--no-cache", "--quiet"])
    #expect(cold.code == 0 && cold.err.isEmpty, "\(cold)")
    #expect(try shop.lasting("again/\(method)") == shop.lasting("runs/\(method)"))
    #expect(try shop.record("again/\(method)").comparable() == shop.record("runs/\(method)").comparable())
  }

  @Test func anotherSeedGivesOtherPromptsAndOtherPictures() throws {
    let runs = try shop.record("runs/coop").runs
    #expect(runs[0].split != runs[1].split)
    #expect(
      try shop.bytes("runs/coop/seed-1/prompts.safetensors") != shop.bytes("runs/coop/seed-2/prompts.safetensors"))
  }

  @Test func aRunRepeatsFromItsRecord() throws {
    let outcome = try shop.run(
      "train", "--repeat", "runs/hipro", "--output", "again/repeated", "--quiet", "--format", "json")
    #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
    #expect(try json(outcome)["rows"]?.arrayValue?.count == 1)
    #expect(try shop.record("again/repeated").comparable() == shop.record("runs/hipro").comparable())
  }

  @Test func aRepeatedRunRefusesSettingsThatWouldDrawOtherPictures() throws {
    for words in [["--shots", "2"], ["--only", "ink"], ["--seeds", "7"], ["--validation-shots", "1"]] {
      let outcome = try Program.run(
        ["train", "--repeat", "runs/hipro", "--output", "again/contrary"] + words, in: shop.folder)
      #expect(outcome.code == 64 && outcome.err.contains("--repeat"), "\(outcome)")
      #expect(!shop.exists("again/contrary"))
    }
  }

  @Test func aRunGoesOnWithTheThreadsThatItBeganWith() throws {
    let record = try shop.record("runs/coop")
    #expect(record.experiment["threads"]?.intValue == record.threads)
    let outcome = try Program.run(
      [
        "train", "--model", Workshop.model, "--tasks", "world", "--method", "coop-mt", "--shots", "2", "--seeds",
        "1",
        "--epochs", "2", "--output", "again/threads",
      ], in: shop.folder, environment: ["OMP_NUM_THREADS": "1"])
    #expect(outcome.code == 0, "\(outcome)")
    #expect(try shop.record("again/threads").experiment["threads"]?.intValue == 1)
  }

  @Test func aChoiceWithoutValidationPicturesIsRefusedBeforeTheRun() throws {
    let outcome = try shop.train(
      "again/unchosen", method: "hipro", ["--combine", "learned", "--validation-shots", "0"])
    #expect(outcome.code == 64 && outcome.err.contains("validation"), "\(outcome)")
    #expect(!shop.exists("again/unchosen"))
  }

  @Test func tasksThatStartFromTheirOwnWordsTrainWithEveryMethod() throws {
    let world = try shop.smallWorld("worded", tasks: ["ink", "watercolour", "chalk"], perClass: 8)
    let words = #"{"tasks": {"ink": {"initialWords": "a drawing of a"}, "chalk": {"templates": ["a chalk {}."]}}}"#
    try Data(words.utf8).write(to: world.root.appendingPathComponent("tasks.json"))
    for method in Workshop.methods {
      let outcome = try Program.run(
        [
          "train", "--model", Workshop.model, "--tasks", "worded", "--method", method, "--shots", "2", "--seeds",
          "1",
          "--epochs", "2", "--threads", "1", "--output", "again/worded-\(method)", "--quiet",
        ], in: shop.folder)
      #expect(outcome.code == 0, "\(method): \(outcome)")
    }
  }

  @Test func reportWritesAPageAndItsFigures() throws {
    let runs = Workshop.methods.map { "runs/\($0)" }
    let outcome = try Program.run(
      ["report"] + runs + ["nowhere", "--output", "page.html", "--figures", "figures"], in: shop.folder)
    #expect(outcome.code == 0 && outcome.out.isEmpty, "\(outcome)")
    #expect(outcome.err.contains("nowhere") && outcome.err.contains("Wrote page.html"))
    let page = String(decoding: try shop.bytes("page.html"), as: UTF8.self)
    for word in ["4 runs on 3 tasks", "chalk", "ink", "watercolour", "banyan train"] {
      #expect(page.contains(word), "\(word)")
    }
    let figures = try FileManager.default.contentsOfDirectory(atPath: shop.folder.appending(path: "figures").path)
    for name in ["cost.svg", "tasks.svg", "affinity-1.svg", "training-1.svg"] { #expect(figures.contains(name)) }
    #expect(try shop.run("report", "nowhere").code == 66)
  }

  @Test func landscapesLieBesideTheRunAndTheReportShowsThem() throws {
    try FileManager.default.createDirectory(
      at: shop.folder.appending(path: "mapped"), withIntermediateDirectories: true)
    for method in ["hipro", "coop", "coop-mt"] {
      try FileManager.default.copyItem(
        at: shop.folder.appending(path: "runs/\(method)"), to: shop.folder.appending(path: "mapped/\(method)"))
    }
    let words = ["landscape", "--resolution", "9", "--no-cache", "--run", "mapped/hipro"]
    let all = try Program.run(words, in: shop.folder)
    #expect(all.code == 0, "\(all)")
    for word in ["chalk", "ink", "watercolour", "w_rand", "w_shr", "w_ind", "w_avg", "node 0"] {
      #expect(all.out.contains(word), "\(word)")
    }
    let first = try shop.bytes("mapped/hipro/landscapes/task-0-seed-1.json")
    #expect(try Program.run(words, in: shop.folder).code == 0)
    #expect(try shop.bytes("mapped/hipro/landscapes/task-0-seed-1.json") == first)
    let three = try Program.run(
      words + ["--run", "mapped/coop", "--run", "mapped/coop-mt", "--task", "ink", "--format", "json"], in: shop.folder)
    #expect(three.code == 0, "\(three)")
    let found = try JSONDocument.decode([LandscapeRecord].self, from: Data(three.out.utf8), subject: "output")
    #expect(found.map(\.task) == ["ink"] && found[0].places.map(\.name) == ["hipro", "coop", "coop-mt"])
    #expect(found[0].trainLoss.count == 9 && found[0].places.allSatisfy { $0.distance < 1e-5 })
    let report = try Program.run(["report", "mapped/hipro", "--output", "mapped.html"], in: shop.folder)
    #expect(report.code == 0, "\(report)")
    let page = String(decoding: try shop.bytes("mapped.html"), as: UTF8.self)
    for task in ["chalk", "ink", "watercolour"] { #expect(page.contains("\(task), seed 1: hipro"), "\(task)") }
    #expect(page.contains("ink, seed 1: hipro, coop, coop-mt"))

    let wrong: [([String], Int32, String)] = [
      (["--task", "inc"], 64, "ink"), (["--run", "mapped/coop"], 64, "three"),
      (["--resolution", "1"], 64, "2 to 1000"),
      (["--seed", "77"], 64, "no such seed"),
    ]
    for (more, code, word) in wrong {
      let outcome = try Program.run(words + more, in: shop.folder)
      #expect(outcome.code == code && outcome.err.contains(word), "\(more): \(outcome)")
    }
    let coop = try Program.run(["landscape", "--no-cache", "--run", "mapped/coop"], in: shop.folder)
    #expect(coop.code == 64 && coop.err.contains("three runs"), "\(coop)")
  }

  @Test func compareShowsRowsAndColumnsInEveryForm() throws {
    let runs = Workshop.methods.map { "runs/\($0)" }
    try FileManager.default.createDirectory(
      at: shop.folder.appendingPathComponent("unfinished"), withIntermediateDirectories: true)
    let titles = ["zero-shot": "Zero-shot", "coop": "CoOp", "coop-mt": "CoOp-MT", "hipro": "HiPro"]
    for format in ["text", "markdown", "csv", "json"] {
      let outcome = try Program.run(["compare"] + runs + ["unfinished", "--format", format], in: shop.folder)
      #expect(outcome.code == 0)
      #expect(outcome.err.contains("unfinished: no finished run here"), "\(outcome.err)")
      for word in ["chalk", "ink", "watercolour"] + Workshop.methods.compactMap({ titles[$0] }) {
        #expect(outcome.out.localizedCaseInsensitiveContains(word), "\(format): \(word) in \(outcome.out)")
      }
      if format == "json" {
        let table = try json(outcome)
        #expect(table["tasks"]?.arrayValue?.compactMap(\.stringValue) == shop.world.tasks)
        for (row, method) in zip(table["rows"]?.arrayValue ?? [], Workshop.methods) {
          #expect(row["method"]?.stringValue == method)
          #expect(row["average"]?.doubleValue == (try shop.record("runs/\(method)").average.top1))
        }
      }
      if format == "csv" { #expect(outcome.out.split(whereSeparator: \.isNewline).count == 5) }
    }
  }

  @Test func compareOfNothingFinishedIsAnError() throws {
    let one = try shop.run("compare", "runs/none")
    #expect(one.code == 66 && one.err.contains("runs/none"))
    let two = try shop.run("compare", "runs/none", "world")
    #expect(two.code == 66 && two.err.contains("banyan train"))
  }

  @Test(arguments: ["0", "-5", "1", "9", "words", "100000"])
  func anyWidthOfTheScreenServes(_ columns: String) throws {
    for words in [["compare", "runs/coop", "runs/hipro"], ["tree", "runs/hipro"]] {
      let outcome = try Program.run(words, in: shop.folder, environment: ["COLUMNS": columns])
      #expect(outcome.code == 0, "\(outcome)")
    }
  }

  @Test func treeShowsAffinityAndDendrogram() throws {
    let text = try shop.run("tree", "runs/hipro")
    #expect(text.code == 0 && text.out.contains("┐") && text.out.contains("affinity (gradient-cosine"))
    let list = try json(shop.run("tree", "runs/hipro", "--format", "json")).arrayValue ?? []
    #expect(list.compactMap { $0["seed"]?.intValue } == [1, 2])
    #expect(list.allSatisfy { $0[path: "tree.nodes"]?.arrayValue?.count == 5 })
    let newick = try shop.run("tree", "runs/hipro", "--format", "newick", "--seed", "2")
    #expect(newick.out.hasSuffix(";\n") && newick.out.split(separator: "\n").count == 1)
    #expect(shop.world.tasks.allSatisfy(newick.out.contains))
    let none = try shop.run("tree", "runs/coop")
    #expect(none.code == 64 && none.err.contains("CoOp builds no tree"))
    let seed = try shop.run("tree", "runs/hipro", "--seed", "9")
    #expect(seed.code == 64 && seed.err.contains("1, 2"))
  }

  @Test(arguments: Workshop.methods)
  func evaluateGivesTheRecordToTheLastDigit(_ method: String) throws {
    // Without the cache the features are computed anew, in other batches than those of the training.
    for words in [[], ["--no-cache", "--seed", "2"]] {
      let outcome = try Program.run(
        ["evaluate", "--run", "runs/\(method)", "--format", "json"] + words, in: shop.folder)
      #expect(outcome.code == 0, "\(outcome)")
      let lines = try json(outcome).arrayValue ?? []
      #expect(lines.count == (words.isEmpty ? 6 : 3))
      for line in lines {
        #expect(line["identical"] == .bool(true) && line["top1"] == line["recorded"], "\(line)")
      }
    }
  }

  @Test func evaluateSeesAChangedRecord() throws {
    let copy = shop.folder.appendingPathComponent("runs-changed")
    try FileManager.default.copyItem(at: shop.folder.appendingPathComponent("runs/coop"), to: copy)
    var record = try RunRecord.read(copy)
    record.runs[0].tasks["ink"]?.expectedCalibrationError += 1e-9
    try record.write(copy)
    let outcome = try shop.run("evaluate", "--run", "runs-changed")
    #expect(outcome.code == 1 && outcome.err.contains("1 of 6 results differ"), "\(outcome)")
    #expect(outcome.out.contains("DIFFERENT"))
  }

  @Test func classifyNamesPicturesUnderATaskOrAll() throws {
    let picture = shop.world.picture(1, 0, 3).path
    let text = try shop.run("classify", "--run", "runs/hipro", "--task", "ink", picture)
    #expect(text.code == 0 && text.err.isEmpty)
    for name in shop.world.classes { #expect(text.out.contains(name)) }
    let outcome = try shop.run(
      "classify", "--run", "runs/hipro", "--format", "json", "--seed", "2", picture, shop.world.picture(0, 1, 0).path)
    let answers = try json(outcome).arrayValue ?? []
    #expect(answers.map { $0["task"]?.stringValue } == shop.world.tasks + shop.world.tasks)
    for answer in answers {
      let shares = (answer["guesses"]?.arrayValue ?? []).compactMap { $0["probability"]?.doubleValue }
      #expect(shares.count == 3 && abs(shares.reduce(0, +) - 1) < 1e-9)
      #expect(shares == shares.sorted(by: >))
    }
    let top = try json(shop.run("classify", "--run", "runs/hipro", "--format", "json", "--top", "1", picture))
    #expect(top.arrayValue?.allSatisfy { $0["guesses"]?.arrayValue?.count == 1 } == true)
  }

  @Test func aBadPictureLeavesTheOthersAnswered() throws {
    let bad = shop.folder.appendingPathComponent("bad.png")
    try Data("no picture".utf8).write(to: bad)
    let cut = shop.folder.appendingPathComponent("cut.png")
    try Data(contentsOf: shop.world.picture(1, 0, 3)).prefix(300).write(to: cut)
    let good = [shop.world.picture(1, 0, 3).path, shop.world.picture(1, 1, 3).path]
    let outcome = try shop.run(
      "classify", "--run", "runs/coop", "--task", "ink", good[0], bad.path, cut.path, good[1])
    #expect(outcome.code == 65)
    #expect(outcome.out.split(separator: "\n").count == 2 && good.allSatisfy(outcome.out.contains))
    #expect(outcome.err.contains("bad.png") && outcome.err.contains("cut.png"))
    let absent = try shop.run("classify", "--run", "runs/coop", "--task", "ink", "absent.png")
    #expect(absent.code == 66 && absent.err.contains("absent.png"))
  }

  @Test func classifyRefusesUnknownTasksSeedsAndOtherModels() throws {
    let picture = shop.world.picture(1, 0, 3).path
    let task = try shop.run("classify", "--run", "runs/coop", "--task", "inc", picture)
    #expect(task.code == 64 && task.err.contains("Did you mean ink"))
    let seed = try shop.run("classify", "--run", "runs/coop", "--seed", "7", picture)
    #expect(seed.code == 64 && seed.err.contains("1, 2"))
    let other = TinyCLIP.folder("tiny-clip-gelu").path
    let model = try shop.run("classify", "--run", "runs/coop", "--model", other, picture)
    #expect(model.code == 65 && model.err.contains("not the checkpoint"))
    let moved = try shop.modelCopy("moved-clip", of: EmbeddedCheckpoint.folder())
    #expect(try shop.run("classify", "--run", "runs/coop", "--model", moved.path, picture).code == 0)
  }

  @Test func anExperimentFileSaysTheSameAsFlags() throws {
    let file = shop.folder.appendingPathComponent("experiment-file.json")
    let text = """
      {"model": "\(Workshop.model)", "tasks": "world", "method": "coop", "samples": "4 shots", "seeds": [1, 2],
       "threads": 1, "options": {"context": {"length": 7}}, "training": {"epochs": 40}}
      """
    try Data(text.utf8).write(to: file)
    let outcome = try shop.run(
      "train", "--config", "experiment-file.json", "--context-length", "2", "--epochs", "30", "--set",
      "training.epochs=3", "--output", "again/file", "--quiet")
    #expect(outcome.code == 0, "\(outcome)")
    #expect(try shop.lasting("again/file") == shop.lasting("runs/coop"))
    try Data("{\"method\": ".utf8).write(to: file)
    let broken = try shop.run("train", "--config", "experiment-file.json")
    #expect(broken.code == 65 && broken.err.contains("experiment-file.json"))
    let absent = try shop.run("train", "--config", "absent.json")
    #expect(absent.code == 66 && absent.err.contains("absent.json"))
  }

  @Test func augmentedAdamWithLearnedCombinationRunsToo() throws {
    let words = [
      "--augmented-views", "2", "--optimizer", "adamw", "--combine", "learned", "--early-stopping", "2", "--affinity",
      "look-ahead", "--objective", "both", "--seeds", "3",
    ]
    let outcome = try shop.train("again/everything", method: "hipro", words)
    #expect(outcome.code == 0, "\(outcome)")
    let record = try shop.record("again/everything")
    #expect(record.runs[0].chosenCombination == "learned")
    #expect(record.runs[0].affinity?.kind == "look-ahead")
    #expect(try shop.run("evaluate", "--run", "again/everything", "--no-cache").code == 0)
  }

  /// Features, training, scoring again and naming pictures in bf16; nothing of it is taken for fp32's.
  @Test func towersMultiplyInTheNumbersThatAreAskedFor() throws {
    let single = try Program.run(shop.training("runs/fp32"), in: shop.folder)
    let half = try Program.run(shop.training("runs/bf16", ["--precision", "bf16"]), in: shop.folder)
    #expect(single.code == 0 && half.code == 0, "\(half)")
    #expect(half.err.contains("Image features"), "fp32's features were taken: \(half.err)")
    let record = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("runs/bf16/record.json"))
    #expect(record[path: "experiment.precision"]?.stringValue == "bf16")
    #expect(
      try shop.bytes("runs/bf16/seed-1/prompts.safetensors") != shop.bytes("runs/fp32/seed-1/prompts.safetensors"))
    let scored = try shop.run("evaluate", "--run", "runs/bf16")
    #expect(scored.code == 0, "\(scored)")
    // Another program's towers would not round.
    let exported = try shop.run("export", "--run", "runs/bf16", "--output", "exports/bf16")
    #expect(
      exported.code == 0 && exported.err.contains("left out transformers: the run's towers multiply in bf16")
        && exported.out.contains("classifiers"), "\(exported)")

    let trained = try Program.run(
      shop.training("runs/bf16-lora", method: "lora", ["--precision", "bf16"]).filter {
        $0 != "--context-length" && $0 != "2"
      },
      in: shop.folder)
    #expect(trained.code == 64 && trained.err.contains("the towers' own weights"), "\(trained)")
    let plain = try Program.run(
      shop.training("runs/bf16-plain", ["--precision", "bf16", "--set", "encodingPath=plain"]), in: shop.folder)
    #expect(plain.code == 0, "\(plain)")
    #expect(
      try shop.bytes("runs/bf16-plain/seed-1/prompts.safetensors")
        != shop.bytes("runs/fp32/seed-1/prompts.safetensors"))
  }
}
