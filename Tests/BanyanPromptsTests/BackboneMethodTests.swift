import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// What methods that change the backbone change, and what they leave as it is.
@Suite struct BackboneMethodTests {
  private static let both: [(name: String, options: String)] = [
    ("bitfit", "{}"), ("bitfit", #"{"shared": false}"#), ("bitfit", #"{"towers": "text"}"#),
    ("bitfit", #"{"towers": "image"}"#), ("fine-tuning", "{}"), ("fine-tuning-mt", "{}"), ("lora", "{}"),
    ("lora", #"{"shared": true, "matrices": ["value"], "depth": 1}"#), ("lora", #"{"towers": "text"}"#),
    ("lora", #"{"towers": "image", "rank": 5}"#),
  ]
  private let clip: TinyCLIP
  private let tasks = MethodLaws.tasks
  private let batches: [TaskBatch]

  init() throws {
    clip = try TinyCLIP()
    // Cached features of the pictures themselves: a method may read either.
    batches = try clip.batches(tasks).map { [clip] batch in
      var batch = batch
      batch.features = try Engine.withoutGradients { try clip.model.image.features(batch.pixels()).normalized() }
      return batch
    }
  }

  private func method(
    _ name: String, _ options: String = "{}", _ tasks: [PromptTask]? = nil, ways: EncodingWays? = nil
  ) throws -> any PromptMethod {
    let options: JSONValue = try JSONDocument.decode(from: Data(options.utf8), subject: "options")
    return try MethodCatalog.entry(name).make(options, clip.context(tasks ?? self.tasks, ways: ways))
  }

  private func logits(_ method: any PromptMethod, _ parameters: ParameterTree) throws -> [Tensor] {
    try Engine.withoutGradients {
      let classifiers = try method.classifiers(parameters)
      return try batches.map { try method.logits(parameters, $0, classifiers[$0.task].weights()) }
    }
  }

  @Test(arguments: both)
  func `the start is the frozen model`(_ this: (name: String, options: String)) throws {
    // On the way of single ops, which changed backbones take.
    let ways = EncodingWays(text: .sharedPrefix)
    let frozen = try method("zero-shot", ways: ways)
    let method = try method(this.name, this.options, ways: ways)
    let parameters = try method.initialParameters(seed: 1)
    let (found, expected) = (try logits(method, parameters), try logits(frozen, ParameterTree()))
    for (task, pair) in zip(found, expected).enumerated() {
      try agree(pair.0, pair.1, "logits of task \(task)", within: .at(.operation))
    }
    for (own, other) in zip(try method.classifiers(parameters), try frozen.classifiers(ParameterTree())) {
      #expect(try own.weights().isIdentical(to: other.weights()))
    }
  }

  @Test(arguments: both)
  func `training moves all that is declared, and nothing of the backbone`(
    _ this: (name: String, options: String)
  ) throws {
    let before = try clip.model.parameters.snapshot()
    let method = try method(this.name, this.options)
    let start = try method.initialParameters(seed: 1)
    let run = try descend(method, from: start, batches: batches, rate: 0.002, steps: 3)
    #expect(try start.differingPaths(from: run.parameters) == start.paths)
    #expect(try clip.model.parameters.differingPaths(from: before).isEmpty)
    // What moved is what the model reads: the logits are others.
    for (now, then) in zip(try logits(method, run.parameters), try logits(method, start)) {
      #expect(try now.largestDifference(from: then) > 1e-3)
    }
  }

  @Test func `as many parameters as the paper counts`() throws {
    let all = clip.model.parameters
    func biases(_ prefix: String) -> Int {
      all.paths.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".bias") }.reduce(0) { $0 + (all[$1]?.count ?? 0) }
    }
    func count(_ name: String, _ options: String = "{}") throws -> Int {
      try method(name, options).initialParameters(seed: 1).parameterCount
    }
    // Per block 3 · width + width for attention, mlp + width, two norms; then the norms around the blocks.
    #expect(biases("") == 3 * (4 * 32 + 64 + 32 + 2 * 32) + 32 + 3 * (4 * 48 + 96 + 48 + 2 * 48) + 2 * 48)
    #expect(try count("bitfit") == biases(""))
    #expect(try count("bitfit", #"{"shared": false}"#) == 3 * biases(""))
    #expect(try count("bitfit", #"{"towers": "image"}"#) == biases("image."))
    #expect(try count("fine-tuning-mt") == all.parameterCount)
    #expect(try count("fine-tuning") == 3 * all.parameterCount)
    // 2 r width for three projections of three layers in both towers.
    #expect(try count("lora") == 3 * (2 * 2 * 3 * 3 * (32 + 48)))
    #expect(
      try count("lora", #"{"rank": 4, "matrices": ["query", "value"], "depth": 2, "towers": "text", "shared": true}"#)
        == 2 * 4 * 2 * 2 * 32)
  }

  @Test func `a projection left out is one whose B stays zero`() throws {
    let full = try method("lora", #"{"shared": true}"#)
    var parameters = try full.initialParameters(seed: 2).mapTensors { path, tensor in
      path.hasSuffix(".B") ? try clip.normal(tensor.shape, seed: UInt64(path.utf8.count), deviation: 0.1) : tensor
    }
    for path in parameters.paths where path.contains(".key.") && path.hasSuffix(".B") {
      parameters[path] = try .zeros(parameters.require(path).shape)
    }
    let some = try method("lora", #"{"shared": true, "matrices": ["value", "query"]}"#)
    #expect(try some.initialParameters(seed: 2).paths == parameters.paths.filter { !$0.contains(".key.") })
    let part = ParameterTree(
      Dictionary(
        uniqueKeysWithValues: parameters.paths.filter { !$0.contains(".key.") }.compactMap { path in
          parameters[path].map { (path, $0) }
        }))
    let (expected, found) = (try full.objectives(parameters, batches), try some.objectives(part, batches))
    #expect(found == expected)
    #expect(try found != some.objectives(some.initialParameters(seed: 2), batches))
  }

  @Test func `one copy for all on one task is that task's own copy, to the bit`() throws {
    for (one, other) in [
      (try method("fine-tuning", "{}", [tasks[0]]), try method("fine-tuning-mt", "{}", [tasks[0]])),
      (
        try method("lora", "{}", [tasks[0]]), try method("lora", #"{"shared": true}"#, [tasks[0]])
      ),
    ] {
      let runs = try [one, other].map {
        try descend($0, from: $0.initialParameters(seed: 3), batches: [batches[0]], rate: 0.002, steps: 5)
      }
      #expect(runs[0].objectives == runs[1].objectives)
      let shared = try runs[0].parameters.paths.map { path in
        let twin = path.replacingOccurrences(of: "tasks.0.", with: "shared.")
        return try runs[0].parameters.require(path).isIdentical(to: runs[1].parameters.require(twin))
      }
      #expect(shared.count == runs[1].parameters.count && shared.allSatisfy(\.self))
    }
  }

  @Test func `a task's copy learns from its own pictures alone`() throws {
    let method = try method("fine-tuning")
    let parameters = try method.initialParameters(seed: 1).mapTensors { try $1.asParameter() }
    for (task, outcome) in try method.taskGradients(parameters, batches).enumerated() {
      for path in outcome.gradients.paths {
        let size = try outcome.gradients.require(path).abs().sum().item()
        #expect((size > 0) == path.hasPrefix("tasks.\(task)."), "\(path) under task \(task)")
      }
    }
  }

  @Test(arguments: [
    (#"{"rank": 0}"#, "rank"), (#"{"rank": 33}"#, "rank"), (#"{"alpha": 0}"#, "alpha"), (#"{"depth": 4}"#, "depth"),
    (#"{"depth": 0}"#, "depth"), (#"{"matrices": []}"#, "matrices"), (#"{"matrices": ["key", "key"]}"#, "matrices"),
    (#"{"matrices": ["output"]}"#, "matrices"), (#"{"towers": "audio"}"#, "towers"),
    (#"{"templates": ["a photo"]}"#, "templates"),
  ])
  func `options that fit nothing are refused by name`(_ options: String, _ key: String) throws {
    let error = #expect(throws: BanyanError.self) { try method("lora", options) }
    #expect(error?.kind == .usage && error?.subject.contains(key) == true, "\(String(describing: error))")
  }
}
