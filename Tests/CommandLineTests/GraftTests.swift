import BanyanFoundation
import BanyanReports
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// A task more on a trained tree, as a user adds it.
@Suite struct GraftTests {
  private let shop: Workshop

  init() throws {
    shop = try Workshop.open()
  }

  private func prompts(_ run: String, seed: Int = 1) throws -> SafetensorsFile {
    try SafetensorsFile(contentsOf: shop.folder.appending(path: "\(run)/seed-\(seed)/prompts.safetensors"))
  }

  private func classifiers(_ run: String) throws -> SafetensorsFile {
    try SafetensorsFile(contentsOf: shop.folder.appending(path: "\(run)/seed-1/classifiers.safetensors"))
  }

  @Test func whatWasLearnedStaysToTheBitAndTheNewTaskAnswers() throws {
    let added = try shop.smallWorld("graft-world", tasks: ["night", "pencil"], perClass: 12, seed: 7)
    let outcome = try shop.run("graft", "--run", "runs/hipro", "--tasks", "graft-world", "--output", "runs/grafted")
    #expect(outcome.code == 0 && outcome.out.contains("night") && outcome.out.contains("pencil"), "\(outcome)")
    let record = try shop.record("runs/grafted")
    #expect(record.taskNames == ["chalk", "ink", "watercolour", "night", "pencil"])
    // Old prompts, wherever their node is now, and old classifiers.
    let (before, after) = (try prompts("runs/hipro"), try prompts("runs/grafted"))
    let contexts = try after.tree().tensors
    for path in try before.tree().paths {
      let old = try before.tensor(path)
      #expect(try contexts.contains { try $0.shape == old.shape && $0.isIdentical(to: old) }, "\(path)")
    }
    #expect(try after.tree().count == before.tree().count + 2)
    for task in 0..<3 {
      let key = "tasks.\(task).classifier"
      #expect(try classifiers("runs/grafted").tensor(key).isIdentical(to: classifiers("runs/hipro").tensor(key)))
    }
    for seed in [1, 2] {
      let (then, now) = (try shop.record("runs/hipro"), record)
      for name in then.taskNames {
        #expect(then.runs[seed - 1].tasks[name]?.confusion == now.runs[seed - 1].tasks[name]?.confusion)
      }
    }
    let decisions = try JSONDecoder().decode([GraftDecision].self, from: shop.bytes("runs/grafted/graft.json"))
    #expect(
      decisions.map(\.task) == ["night", "pencil", "night", "pencil"] && decisions.allSatisfy { $0.refined == nil })
    #expect(decisions[0].affinities.count == 3 && decisions[1].affinities.count == 4 && decisions[0].nodes.count == 5)
    // What it starts from stands on its path, or is the leaf of the task that is nearest to it.
    let nodes = try #require(try shop.record("runs/hipro").runs.first { $0.seed == 1 }?.tree).nodes
    let nearest = decisions[0].affinities.max { $0.value < $1.value }?.key
    var candidates = nodes.filter { $0.name == nearest }.map(\.index)
    var above = decisions[0].parent
    while let node = above {
      candidates.append(node)
      above = nodes[node].parent
    }
    #expect(nearest != nil && candidates.contains(decisions[0].start), "\(decisions[0])")
    // A run like any other.
    for words in [
      ["tree", "runs/grafted"], ["evaluate", "--run", "runs/grafted"], ["compare", "runs/hipro", "runs/grafted"],
      ["classify", "--run", "runs/grafted", "--task", "night", added.picture(0, 1, 0).path],
      ["export", "--run", "runs/grafted", "--output", "exports/grafted"],
    ] {
      let shown = try Program.run(words, in: shop.folder)
      #expect(shown.code == 0, "\(words): \(shown)")
    }
    // What the old run's pictures look like says nothing of the new tasks, which would never be watched.
    func drift(_ run: String) throws -> Program.Outcome {
      try shop.run(
        "drift", "--run", run, "--pictures", "world", "--reference", "graft-reference.safetensors", "--draws", "199",
        "-q")
    }
    let old = try drift("runs/hipro")
    #expect([0, 3].contains(old.code), "\(old)")
    let new = try drift("runs/grafted")
    #expect(new.code == 64 && new.err.contains("knows nothing of night, pencil"), "\(new)")
    // The same again, the same bytes.
    _ = try shop.run("graft", "--run", "runs/hipro", "--tasks", "graft-world", "--output", "runs/grafted-2", "-q")
    #expect(
      try shop.bytes("runs/grafted/seed-2/prompts.safetensors")
        == shop.bytes("runs/grafted-2/seed-2/prompts.safetensors"))
  }

  @Test func theSameCommandGoesOnAfterControlC() throws {
    try shop.smallWorld("graft-long-world", tasks: ["night"], perClass: 12, seed: 11)
    let trained = try shop.train("runs/graft-long", method: "hipro", ["--epochs", "120"])
    #expect(trained.code == 0, "\(trained)")
    let words = ["graft", "--run", "runs/graft-long/", "--tasks", "graft-long-world", "--overwrite"]
    let running = try Program.start(words, in: shop.folder)
    // Where nobody names a folder it lies beside the run.
    eventually(within: 60, every: 0.002) {
      shop.exists("runs/graft-long-grafted/seed-1/result.json") || !running.process.isRunning
    }
    running.kill(SIGINT)
    let outcome = try running.finish()
    #expect(
      outcome.code == 130 && outcome.out.isEmpty && outcome.err.contains("seeds that are done are kept"), "\(outcome)")
    #expect(
      outcome.err.contains("Go on with: banyan graft --run runs/graft-long/ --tasks graft-long-world\n"), "\(outcome)")
    let result = try shop.bytes("runs/graft-long-grafted/seed-1/result.json")
    #expect(!shop.exists("runs/graft-long-grafted/record.json"))
    let resumed = try Program.run(words.dropLast(), in: shop.folder)
    #expect(resumed.code == 0 && resumed.err.contains("runs/graft-long-grafted"), "\(resumed)")
    #expect(try shop.bytes("runs/graft-long-grafted/seed-1/result.json") == result)
    let whole = try Program.run(words.dropLast() + ["--output", "runs/graft-whole", "-q"], in: shop.folder)
    #expect(whole.code == 0, "\(whole)")
    #expect(try shop.lasting("runs/graft-long-grafted") == shop.lasting("runs/graft-whole"))
  }

  @Test func refiningKeepsOldTasksWithinTheMarginOverAllNewOnes() throws {
    try shop.smallWorld("graft-more", tasks: ["night", "pencil"], perClass: 12, seed: 8)
    let outcome = try shop.run(
      "graft", "--run", "runs/hipro", "--tasks", "graft-more", "--refine", "--margin", "0.05", "--output",
      "runs/refined",
      "--format", "json", "-q")
    #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
    let decisions = try JSONDecoder().decode([GraftDecision].self, from: Data(outcome.out.utf8))
    #expect(decisions.count == 4 && decisions.allSatisfy { [0, 0.125, 0.25, 0.5, 1].contains($0.refined ?? -1) })
    for seed in [UInt64(1), 2] {
      var first: [String: Double] = [:]
      for decision in decisions where decision.seed == seed {
        #expect(decision.guarded?.isEmpty == false && decision.guarded?[decision.task] == nil)
        for (name, accuracy) in decision.guarded ?? [:] {
          let start = first[name] ?? accuracy.before
          first[name] = start
          // The margin is of all that came after a task together, not of each.
          #expect(accuracy.after >= start - 0.05 - 1e-9, "\(name), seed \(seed)")
        }
      }
      #expect(first.count >= 4)
    }
    #expect(try shop.run("evaluate", "--run", "runs/refined").code == 0)
  }

  @Test func aTaskThatWouldHurtTheOldOnesIsHeldBack() throws {
    // Many names, so that old tasks are not sure of them, and a new task that calls every thing by the next one's name.
    let classes = ["boat", "chair", "clock", "fish", "guitar", "key", "lamp", "mug", "shoe", "tree"]
    try shop.smallWorld("graft-sure", tasks: ["ink", "night", "pencil"], classes: classes)
    let wrong = try shop.smallWorld("graft-wrong", tasks: ["neon"], classes: classes, seed: 2)
    let folder = wrong.root.appendingPathComponent("neon")
    for (number, name) in classes.enumerated() {
      try FileManager.default.moveItem(
        at: folder.appendingPathComponent(name), to: folder.appendingPathComponent("moved-\(number)"))
    }
    for number in classes.indices {
      try FileManager.default.moveItem(
        at: folder.appendingPathComponent("moved-\(number)"),
        to: folder.appendingPathComponent(classes[(number + 1) % classes.count]))
    }
    let trained = try shop.train(
      "runs/sure", tasks: "graft-sure", method: "hipro", ["--seeds", "1,2,3,4,5,6", "--epochs", "10"])
    #expect(trained.code == 0, "\(trained)")
    let outcome = try shop.run(
      "graft", "--run", "runs/sure", "--tasks", "graft-wrong", "--refine", "--margin", "0", "--output", "runs/held",
      "--format", "json", "-q")
    #expect(outcome.code == 0, "\(outcome)")
    let decisions = try JSONDecoder().decode([GraftDecision].self, from: Data(outcome.out.utf8))
    #expect(decisions.count == 6 && decisions.contains { ($0.refined ?? 1) < 1 }, "\(decisions.map(\.refined))")
    for decision in decisions {
      #expect(decision.guarded?.isEmpty == false && decision.guarded?.allSatisfy { $1.after >= $1.before } == true)
      guard decision.refined == 0 else { continue }
      // Nothing was taken of the step: the old prompts are the old ones, to the bit.
      let seed = Int(decision.seed)
      let contexts = try prompts("runs/held", seed: seed).tree().tensors
      for old in try prompts("runs/sure", seed: seed).tree().tensors {
        #expect(try contexts.contains { try $0.shape == old.shape && $0.isIdentical(to: old) })
      }
    }
  }

  @Test func whatIsFittedToPromptsIsFittedForTheNewTaskToo() throws {
    try shop.smallWorld("graft-fitted", tasks: ["night"], perClass: 12, seed: 9)
    #expect(
      try shop.train(
        "runs/fitted", method: "hipro", ["--combine", "learned", "--validation-shots", "2", "--seeds", "1"]
      )
      .code == 0)
    let outcome = try shop.run(
      "graft", "--run", "runs/fitted", "--tasks", "graft-fitted", "--output", "runs/fitted-more")
    #expect(outcome.code == 0, "\(outcome)")
    let (before, after) = try (prompts("runs/fitted").tree(), prompts("runs/fitted-more").tree())
    for task in 0..<3 {
      let path = "tasks.\(task).combination"
      #expect(try after.require(path).isIdentical(to: before.require(path)))
    }
    #expect(try after.require("tasks.3.combination").doubles().contains { $0 != 0 })
    let manifest = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("runs/fitted-more/seed-1/prompts.json"))
    #expect(
      manifest["tasks"]?.arrayValue?.map { $0["chosen"]?.stringValue } == [String?](repeating: "learned", count: 4))
    #expect(try shop.run("evaluate", "--run", "runs/fitted-more").code == 0)
    // Prompts above may be refined; what was fitted to the old ones stays.
    let refined = try shop.run(
      "graft", "--run", "runs/fitted", "--tasks", "graft-fitted", "--refine", "--output", "runs/fitted-refined")
    #expect(refined.code == 0, "\(refined)")
    let moved = try prompts("runs/fitted-refined").tree()
    for task in 0..<3 {
      let path = "tasks.\(task).combination"
      #expect(try moved.require(path).isIdentical(to: before.require(path)))
    }
    #expect(try shop.run("evaluate", "--run", "runs/fitted-refined").code == 0)
  }

  @Test func onlyAGraftsOwnFolderIsGoneOnWith() throws {
    try shop.smallWorld("graft-again", tasks: ["night"], perClass: 12, seed: 10)
    func copy(_ run: String, _ to: String, without names: [String]) throws {
      let target = shop.folder.appending(path: to)
      try FileManager.default.copyItem(at: shop.folder.appending(path: run), to: target)
      for name in names { try FileManager.default.removeItem(at: target.appending(path: name)) }
    }
    let words = ["graft", "--run", "runs/hipro", "--tasks", "graft-again", "-q", "--output"]
    let first = try Program.run(words + ["runs/again"], in: shop.folder)
    #expect(first.code == 0, "\(first)")
    // Stopped before its record, and in the middle of its second seed.
    try copy("runs/again", "runs/again-2", without: ["record.json", "seed-2"])
    let trained = try shop.run("train", "--resume", "--output", "runs/again-2")
    #expect(trained.code == 64 && trained.err.contains("stopped graft"), "\(trained)")
    let second = try Program.run(words + ["runs/again-2"], in: shop.folder)
    #expect(second.code == 0, "\(second)")
    #expect(try shop.lasting("runs/again") == shop.lasting("runs/again-2"))
    // Killed before it had done more than say what it is.
    let others = try FileManager.default.contentsOfDirectory(atPath: shop.folder.appending(path: "runs/again").path)
    try copy("runs/again", "runs/again-3", without: others.filter { $0 != "experiment.json" && $0 != ".lock" })
    let third = try Program.run(words + ["runs/again-3"], in: shop.folder)
    #expect(third.code == 0, "\(third)")
    #expect(try shop.lasting("runs/again") == shop.lasting("runs/again-3"))
    // A stopped training is somebody's work.
    try copy("runs/hipro", "runs/stopped-training", without: ["record.json"])
    let kept = try shop.lasting("runs/stopped-training")
    let refused = try Program.run(words + ["runs/stopped-training"], in: shop.folder)
    #expect(refused.code == 64 && refused.err.contains("not this graft"), "\(refused)")
    #expect(try shop.lasting("runs/stopped-training") == kept)
    // What is refused leaves an earlier run where it is, --overwrite or not.
    #expect(try shop.train("runs/unguarded", method: "hipro", ["--validation-shots", "0", "--seeds", "1"]).code == 0)
    let before = try shop.lasting("runs/again")
    let unguarded = try shop.run(
      "graft", "--run", "runs/unguarded", "--tasks", "graft-again", "--refine", "--overwrite", "--output", "runs/again")
    #expect(unguarded.code == 64 && unguarded.err.contains("validationShots"), "\(unguarded)")
    #expect(try shop.lasting("runs/again") == before && shop.exists("runs/again/record.json"))
  }

  @Test func theRunItselfIsNeverReplaced() throws {
    try shop.smallWorld("graft-self", tasks: ["night"], perClass: 8)
    #expect(try shop.train("runs/self", method: "hipro", ["--seeds", "1", "--epochs", "1"]).code == 0)
    let before = try shop.lasting("runs/self")
    try FileManager.default.createSymbolicLink(
      atPath: shop.folder.appending(path: "runs/self-link").path, withDestinationPath: "self")
    for place in ["runs/self", "runs/../runs/self/", "runs/self-link"] {
      let outcome = try shop.run(
        "graft", "--run", "runs/self", "--tasks", "graft-self", "--overwrite", "--output", place)
      #expect(outcome.code == 64 && outcome.err.contains("is the run itself"), "\(place): \(outcome)")
      #expect(try shop.lasting("runs/self") == before)
    }
  }

  @Test func whatCannotBeGraftedIsSaid() throws {
    try shop.smallWorld("graft-other", tasks: ["night"], perClass: 8)
    for (words, code, part) in [
      (["--run", "runs/coop", "--tasks", "graft-other"], Int32(64), "no tree"),
      (["--run", "runs/hipro", "--tasks", "world"], 64, "knows a task of this name"),
      (["--run", "runs/hipro", "--tasks", "nowhere"], 66, "nowhere"),
      (["--run", "runs/hipro", "--tasks", "graft-other", "--margin", "0.1"], 64, "--refine"),
      (["--run", "runs/hipro", "--tasks", "graft-other", "--refine", "--margin", "2"], 64, "margin"),
      (["--run", "runs/hipro", "--tasks", "graft-other", "--only", "nigth"], 64, "night"),
      (["--run", "runs/hipro", "--tasks", "graft-other", "--only", ""], 64, "--only"),
    ] {
      let outcome = try Program.run(["graft", "--output", "runs/never"] + words, in: shop.folder)
      #expect(outcome.code == code && outcome.err.contains(part), "\(words): \(outcome)")
    }
    #expect(!shop.exists("runs/never"))
    let same = try shop.run("graft", "--run", "runs/hipro", "--tasks", "graft-other", "--output", "runs/hipro")
    #expect(same.code == 64 && same.err.contains("the run itself"))
  }
}
