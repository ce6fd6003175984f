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
    // A run like any other.
    for words in [
      ["tree", "runs/grafted"], ["evaluate", "--run", "runs/grafted"], ["compare", "runs/hipro", "runs/grafted"],
      ["classify", "--run", "runs/grafted", "--task", "night", added.picture(0, 1, 0).path],
      ["export", "--run", "runs/grafted", "--output", "exports/grafted"],
    ] {
      let shown = try Program.run(words, in: shop.folder)
      #expect(shown.code == 0, "\(words): \(shown)")
    }
    // The same again, the same bytes.
    _ = try shop.run("graft", "--run", "runs/hipro", "--tasks", "graft-world", "--output", "runs/grafted-2", "-q")
    #expect(
      try shop.bytes("runs/grafted/seed-2/prompts.safetensors")
        == shop.bytes("runs/grafted-2/seed-2/prompts.safetensors"))
  }

  @Test func refiningKeepsOldTasksWithinTheMargin() throws {
    try shop.smallWorld("graft-more", tasks: ["night"], perClass: 12, seed: 8)
    let outcome = try shop.run(
      "graft", "--run", "runs/hipro", "--tasks", "graft-more", "--refine", "--margin", "0", "--output", "runs/refined",
      "--format", "json", "-q")
    #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
    let decisions = try JSONDecoder().decode([GraftDecision].self, from: Data(outcome.out.utf8))
    #expect(decisions.count == 2 && decisions.allSatisfy { [0, 0.125, 0.25, 0.5, 1].contains($0.refined ?? -1) })
    #expect(try shop.run("evaluate", "--run", "runs/refined").code == 0)
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
    ] {
      let outcome = try Program.run(["graft", "--output", "runs/never"] + words, in: shop.folder)
      #expect(outcome.code == code && outcome.err.contains(part), "\(words): \(outcome)")
    }
    #expect(!shop.exists("runs/never"))
    let same = try shop.run("graft", "--run", "runs/hipro", "--tasks", "graft-other", "--output", "runs/hipro")
    #expect(same.code == 64 && same.err.contains("the run itself"))
  }
}
