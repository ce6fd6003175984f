import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// What image prompts and coupled prompts start from, what they refuse, and where they are each other's special cases.
@Suite struct CoupledPromptTests {
  private func make(_ name: String, _ tasks: [PromptTask], _ options: String = "{}") throws -> any PromptMethod {
    try MethodCatalog.entry(name).make(
      JSONDocument.decode(from: Data(options.utf8), subject: "test"), TinyCLIP().context(tasks))
  }

  /// Four steps of both from one start, the same to the bit; `renamed` gives the paths of the second.
  private func expectSame(
    _ one: any PromptMethod, _ other: any PromptMethod, tasks: [PromptTask], renamed: (String) -> String = { $0 }
  ) throws {
    let start = try one.initialParameters(seed: 3)
    let second = ParameterTree(
      Dictionary(uniqueKeysWithValues: try start.paths.map { (renamed($0), try start.require($0)) }))
    #expect(try second.paths == other.initialParameters(seed: 3).paths)
    let batches = try TinyCLIP().batches(tasks)
    let runs = (
      try descend(one, from: start, batches: batches, steps: 4),
      try descend(other, from: second, batches: batches, steps: 4)
    )
    #expect(runs.1.objectives == runs.0.objectives)
    for path in start.paths {
      #expect(try runs.1.parameters.require(renamed(path)).isIdentical(to: runs.0.parameters.require(path)), "\(path)")
    }
  }

  @Test(arguments: ["vpt", "maple"])
  func `on one task a method and its multi-task form are the same, to the bit`(_ name: String) throws {
    let tasks = [MethodLaws.tasks[2]]
    let (one, other) = (try make(name, tasks), try make("\(name)-mt", tasks))
    let starts = (try one.initialParameters(seed: 3), try other.initialParameters(seed: 3))
    func renamed(_ path: String) -> String { path.replacingOccurrences(of: "tasks.0", with: "shared") }
    for path in starts.0.paths {
      #expect(try starts.0.require(path).isIdentical(to: starts.1.require(renamed(path))), "\(path)")
    }
    try expectSame(one, other, tasks: tasks, renamed: renamed)
  }

  @Test func `prompts at the input alone are deep ones of depth one`() throws {
    try expectSame(
      make("vpt", MethodLaws.tasks, #"{"deep": false}"#), make("vpt", MethodLaws.tasks, #"{"depth": 1}"#),
      tasks: MethodLaws.tasks)
  }

  @Test func `image prompts start within Xavier's bound of a patch embedding and fill it`() throws {
    let start = try make("vpt", MethodLaws.tasks).initialParameters(seed: 1)
    #expect(start.paths.count == 9)
    let bound = (6.0 / (3 * 8 * 8 + 48)).squareRoot()
    for tensor in start.tensors {
      #expect(tensor.shape == [16, 48])
      let largest = try tensor.doubles().reduce(0) { max($0, abs($1)) }
      #expect(largest <= bound && largest > 0.95 * bound)
    }
  }

  @Test func `coupled prompts start from the first words, then from random numbers`() throws {
    let clip = try TinyCLIP()
    let words = clip.tokenizer.tokens(of: "a photo of a")
    for length in [2, words.count, words.count + 2] {
      let start = try make("maple", MethodLaws.tasks, #"{"length": \#(length)}"#).initialParameters(seed: 1)
      let given = min(length, words.count)
      let text = try start.require("tasks.1.text.0")
      #expect(text.shape == [length, 32])
      let embedded = try clip.model.text.embeddings(of: Array(words.prefix(given)))
      #expect(try text.narrowed(0, start: 0, length: given).clone().isIdentical(to: embedded))
      for row in given..<length {
        let drawn = try text.select(0, row).doubles()
        #expect(drawn.contains { $0 != 0 } && drawn.allSatisfy { abs($0) < 0.1 })
      }
    }
    // Nine layers are more than the towers have.
    #expect(try make("maple", MethodLaws.tasks).initialParameters(seed: 1).count == 3 * 3 * 3)
  }

  @Test func `without words of its own a method takes those that its tasks agree on`() throws {
    let clip = try TinyCLIP()
    var tasks = MethodLaws.tasks
    for task in tasks.indices { tasks[task].initialWords = task < 2 ? "red house" : "blue bird" }
    let options = #"{"initialWords": null, "length": 1}"#
    let apart = try make("maple", tasks, options).initialParameters(seed: 1)
    for (task, words) in ["red house", "red house", "blue bird"].enumerated() {
      let expected = try clip.model.text.embeddings(of: [clip.tokenizer.tokens(of: words)[0]])
      #expect(try apart.require("tasks.\(task).text.0").isIdentical(to: expected))
    }
    let all = try make("maple-mt", tasks, options).initialParameters(seed: 1).require("shared.text.0").doubles()
    #expect(all.allSatisfy { abs($0) < 0.1 })
    let given = try clip.model.text.embeddings(of: [clip.tokenizer.tokens(of: "red house")[0]])
    #expect(
      try make("maple-mt", Array(tasks[..<2]), options).initialParameters(seed: 1).require("shared.text.0")
        .isIdentical(to: given))
  }

  @Test(arguments: [
    ("vpt", #"{"length": 0}"#, "length"), ("vpt", #"{"depth": 4}"#, "depth"), ("vpt-mt", #"{"depth": 0}"#, "depth"),
    ("vpt", #"{"deep": false, "depth": 2}"#, "depth"), ("vpt", #"{"templates": []}"#, "templates"),
    ("maple", #"{"length": 74}"#, "length"), ("maple", #"{"depth": 0}"#, "depth"),
    ("maple-mt", #"{"deviation": 0}"#, "deviation"), ("maple", #"{"initialWords": " "}"#, "initialWords"),
    ("maple", #"{"length": 73}"#, "class name"), ("mvlpt", #"{"width": 0}"#, "width"),
    ("mvlpt", #"{"depth": 4}"#, "depth"), ("mvlpt", #"{"source": {"steps": -1}}"#, "source.steps"),
    ("mvlpt", #"{"source": {"rate": 0}}"#, "source.rate"), ("mvlpt", #"{"source": {"batchSize": 0}}"#, "batchSize"),
    ("mvlpt", #"{"prompts": "coop", "deviation": -1}"#, "deviation"),
  ])
  func `wrong options are refused by name`(_ name: String, _ options: String, _ key: String) throws {
    let error = #expect(throws: BanyanError.self) { try make(name, MethodLaws.tasks, options) }
    #expect(error?.kind == .usage && error?.subject.contains(key) == true, "\(String(describing: error))")
  }
}
