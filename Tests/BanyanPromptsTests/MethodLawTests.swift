import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// The laws over the whole catalogue: a new method is covered without a new line here.
@Suite struct MethodLawTests {
  static let names = MethodCatalog.entries.map(\.descriptor.name)

  @Test(arguments: names)
  func `gradients come for the trainable paths alone`(_ name: String) throws { try MethodLaws(name).gradientPaths() }

  @Test(arguments: names)
  func `a step's gradient is the sum of the tasks'`(_ name: String) throws { try MethodLaws(name).stepIsSum() }

  @Test(arguments: names)
  func `parameters serve the tasks that they move`(_ name: String) throws { try MethodLaws(name).servesWhatItMoves() }

  @Test(arguments: names)
  func `all ways through the towers agree`(_ name: String) throws { try MethodLaws(name).waysAgree() }

  /// Settings under which a method takes another path through its code.
  static let variants: [(name: String, options: String)] = [
    ("hipro", #"{"objective": "combined"}"#), ("hipro", #"{"objective": "both"}"#),
    ("vpt", #"{"deep": false}"#), ("maple", #"{"depth": 1}"#),
    ("mmap", #"{"length": 2, "taskSpecific": false}"#), ("mmap", #"{"length": 2, "sharesSource": true}"#),
    ("mmap", #"{"length": 4, "sourceRows": 2, "depth": 1}"#), ("joint-prompts", #"{"taskSpecific": false}"#),
    ("mlp-prompts", #"{"sourceWidth": 8, "depth": 1}"#),
    ("mvlpt", #"{"prompts": "coop"}"#), ("mvlpt", #"{"prompts": "vpt"}"#),
    ("mvlpt", #"{"target": "group", "source": {"steps": 3}}"#),
    ("mvlpt", #"{"target": "all", "source": {"steps": 3}}"#),
    ("bitfit", #"{"towers": "image", "shared": false}"#), ("bitfit", #"{"towers": "text"}"#),
    ("lora", #"{"shared": true, "scaling": "rank", "rank": 3}"#), ("lora", #"{"towers": "text", "depth": 1}"#),
    ("clip-adapter", #"{"on": "text"}"#), ("clip-adapter", #"{"on": "text", "shared": false}"#),
    ("linear-probe", #"{"solver": "steps"}"#),
  ]

  @Test(arguments: variants)
  func `other settings keep the laws`(_ variant: (name: String, options: String)) throws {
    let options = try JSONDocument.decode(JSONValue.self, from: Data(variant.options.utf8), subject: "variant")
    let laws = try MethodLaws(variant.name, options: options)
    try laws.gradientPaths()
    try laws.waysAgree()
    try laws.startIsPure()
    try laws.rowsAreUnit()
    try laws.classOrder()
    try laws.taskOrder()
    let exact = try MethodLaws(variant.name, options: options, dtype: .float64)
    try exact.stepIsSum()
    try exact.servesWhatItMoves()
    try exact.centralDifferences()
  }

  @Test(arguments: names)
  func `gradients are slopes`(_ name: String) throws { try MethodLaws(name, dtype: .float64).centralDifferences() }

  @Test(arguments: names)
  func `the start depends on seed and names alone`(_ name: String) throws { try MethodLaws(name).startIsPure() }

  @Test(arguments: names)
  func `rows are unit`(_ name: String) throws { try MethodLaws(name).rowsAreUnit() }

  @Test(arguments: names)
  func `class order permutes rows and nothing else`(_ name: String) throws { try MethodLaws(name).classOrder() }

  @Test(arguments: names)
  func `task order permutes tasks and nothing else`(_ name: String) throws { try MethodLaws(name).taskOrder() }

  @Test(arguments: names)
  func `the backbone's bytes never change`(_ name: String) throws { try MethodLaws(name).backboneIsFrozen() }

  @Test(arguments: names)
  func `parameters survive a file`(_ name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "banyan-laws-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try MethodLaws(name).survivesFile(in: folder)
  }

  @Test(arguments: names)
  func `chunks give what the whole gives`(_ name: String) throws { try MethodLaws(name).chunksAgree() }

  @Test(arguments: names)
  func `options are those of the defaults`(_ name: String) throws { try MethodLaws(name).optionsAreListed() }

  @Test func `names differ, and an unknown one is refused with the near ones`() throws {
    #expect(Set(Self.names).count == Self.names.count)
    for entry in MethodCatalog.entries {
      let texts = [entry.descriptor.title, entry.descriptor.summary, entry.descriptor.paper]
      #expect(texts.allSatisfy { !$0.isEmpty })
    }
    let error = #expect(throws: BanyanError.self) { try MethodCatalog.entry("hipr") }
    #expect(error?.kind == .usage && error?.remedy.contains("hipro") == true)
  }

  @Test(arguments: ["coop", "hipro"], ["end", "middle", "front"])
  func `chunks of class-specific contexts give what the whole gives`(_ name: String, _ position: String) throws {
    let settings: [String: JSONValue] = [
      "classSpecific": .bool(true), "length": .integer(4), "position": .string(position),
    ]
    let tasks = name == "coop" ? MethodLaws.tasks : Array(MethodLaws.tasks[..<2])
    try MethodLaws(name).chunksAgree(options: .object(["context": .object(settings)]), tasks: tasks)
  }

  @Test func `CoOp's start for a task does not depend on the other tasks`() throws {
    let laws = try MethodLaws("coop")
    let all = try laws.method().initialParameters(seed: 9)
    let alone = try laws.method([MethodLaws.tasks[2]]).initialParameters(seed: 9)
    #expect(try all.require("tasks.2.context").isIdentical(to: alone.require("tasks.0.context")))
  }

  @Test func `parameters of a wrong shape are errors`() throws {
    let laws = try MethodLaws("coop")
    let method = try laws.method()
    let batches = try laws.clip.batches(MethodLaws.tasks)
    for shape in [[], [32], [4, 31], [1, 4, 32], [3, 4, 32], [1, 1, 4, 32], [80, 32], [0]] {
      let wrong = try laws.leaves(method).mapTensors { try $0 == "tasks.1.context" ? .zeros(shape).asParameter() : $1 }
      #expect(throws: BanyanError.self, "\(shape)") { try method.step(wrong, batches) }
      #expect(throws: BanyanError.self, "\(shape)") { try method.classifiers(wrong) }
    }
    #expect(throws: BanyanError.self) { try method.classifiers(ParameterTree()) }
  }
}
