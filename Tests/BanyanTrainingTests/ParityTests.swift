import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// Full-size towers against `transformers`: `make parity` writes the checkpoints and says where they are.
@Suite(.serialized, .enabled(if: Parity.folder != nil, "needs the checkpoints that `make parity` builds"))
struct ParityTests {
  @Test(arguments: ["b16", "b32"])
  func towersEqualTransformers(geometry: String) throws {
    let folder = try #require(Parity.folder).appending(path: geometry)
    let model = try Checkpoint(folder: folder).model()
    let reference = try SafetensorsFile(contentsOf: folder.appending(path: "reference.safetensors"))
    try Engine.withoutGradients {
      var unitImage = try Tensor.zeros([0])
      var imageGap = 0.0
      for path in ImageTower.EncodingPath.allCases {
        unitImage = try model.image.features(reference.tensor("pixels"), path: path).normalized()
        imageGap = try unitImage.largestDifference(from: reference.tensor("image_unit"))
        #expect(imageGap <= 1e-4, "\(path) image path")
      }
      let rows = try reference.tensor("ids")
      let ids = try rows.integers().map(Int32.init)
      let sentences = (0..<rows.extent(0)).map { row -> ClassTokens in
        let row = Array(ids[row * 77..<(row + 1) * 77])
        let end = row.firstIndex(of: row.max() ?? 0) ?? 76
        return ClassTokens(sentence: Array(row[...end]))
      }
      for path in TextTower.EncodingPath.allCases {
        let text = try model.text.features(sentences, path: path).select(0, 0).normalized()
        let gap = try text.largestDifference(from: reference.tensor("text_unit"))
        #expect(gap <= 1e-4, "\(path) text path")
        let logits = try unitImage.matmul(text.transposed()) * model.logitScale
        let logitGap = try logits.largestDifference(from: reference.tensor("logits_per_image"))
        #expect(logitGap <= 1e-3, "\(path) logits")
        print("parity \(geometry), \(path): image \(imageGap), text \(gap), logits \(logitGap)")
      }
    }
  }

  @Test(arguments: TextTower.EncodingPath.allCases)
  func contextGradientEqualsPyTorch(_ path: TextTower.EncodingPath) throws {
    let folder = try #require(Parity.folder).appending(path: "b16")
    let bench = try Workbench(model: folder, cache: nil)
    let reference = try SafetensorsFile(contentsOf: folder.appending(path: "reference.safetensors"))
    let names: [String] = try JSONDocument.read(from: folder.appending(path: "class_names.json"))
    let tokens = names.map {
      ClassTokens(
        name: bench.tokenizer.tokens(of: $0), closing: bench.tokenizer.tokens(of: "."),
        start: bench.tokenizer.startToken, end: bench.tokenizer.endToken)
    }
    let context = try reference.tensor("coop.context").asParameter()
    let injection = PromptInjection(layers: [0: try context.reshaped([1, 16, 512])])
    let weights = try bench.model.text.features(tokens, injection: injection, path: path).select(0, 0)
      .normalized()
    #expect(try weights.largestDifference(from: reference.tensor("coop.classifier")) <= 1e-4)
    let gradient = try Gradients.of([weights], cotangents: [reference.tensor("coop.cotangent")], with: [context])[0]
    let expected = try reference.tensor("coop.gradient")
    let size = try expected.doubles().reduce(0) { max($0, abs($1)) }
    let gap = try gradient.largestDifference(from: expected) / size
    print("parity b16, \(path), context gradient: \(gap) of the largest entry")
    #expect(gap <= 1e-4)
  }

  /// HiPro on a random tree of the tasks, 32 drawn features a task, and leaves to start from.
  private func tree(
    over tasks: [PromptTask], _ bench: Workbench
  ) throws -> (method: any PromptMethod, batches: [TaskBatch], parameters: ParameterTree) {
    let context = MethodContext(
      model: bench.model, tokenizer: bench.tokenizer, tasks: tasks, tree: try .random(tasks.map(\.name), seed: 3))
    let method = try MethodCatalog.entry("hipro").make(.object([:]), context)
    var generator = SeededGenerator(seed: 5, label: "parity")
    let batches = try tasks.indices.map { task in
      TaskBatch(
        task: task, features: try Tensor.normal([32, 512], generator: &generator).normalized(),
        labels: try .indices((0..<32).map { _ in generator.integer(below: tasks[task].classNames.count) }))
    }
    return (method, batches, try method.initialParameters(seed: 1).mapTensors { try $1.asParameter() })
  }

  @Test func treeOfPromptsTrainsWithinThreeGigabytes() throws {
    // What the tests before it took is not this one's.
    Stopwatch.resetPeakMemory()
    let folder = try #require(Parity.folder).appending(path: "b16")
    let bench = try Workbench(model: folder, cache: nil)
    let classNames: [String] = try JSONDocument.read(from: folder.appending(path: "class_names.json"))
    let (method, batches, parameters) = try tree(
      over: ["Art", "Clipart", "Product", "Real"].map { PromptTask(name: $0, classNames: classNames) }, bench)
    let rule = Optimizer.Rule.adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    let optimizer = try Optimizer(rule, parameters: parameters, rate: 1e-3)
    var losses: [Double] = []
    let begin = Date()
    for _ in 0..<20 {
      let outcome = try method.step(parameters, batches)
      losses.append(outcome.objectives.reduce(0, +))
      try optimizer.step(outcome.gradients, rate: 1e-3)
    }
    print("parity: 20 steps of 4 tasks × 65 classes, 7 prompts: \(Date().timeIntervalSince(begin)) s")
    print("parity: objective \(losses[0]) → \(losses[19]), peak memory \(Stopwatch.peakMemory / 1_000_000) MB")
    #expect(losses.allSatisfy { $0.isFinite })
    #expect(losses[19] < losses[0])
    #expect(Stopwatch.peakMemory < 3_000_000_000)
  }

  /// The most that one step is asked to hold: every task has names of its own, so that a node encodes those of all below it.
  @Test func aStepOfSixtyFourTasksTakesLessThanFourGigabytes() throws {
    // What the tests before it took is not this one's.
    Stopwatch.resetPeakMemory()
    let folder = try #require(Parity.folder).appending(path: "b16")
    let bench = try Workbench(model: folder, cache: nil)
    let words: [String] = try JSONDocument.read(from: folder.appending(path: "class_names.json"))
    let tasks = (0..<64).map { task in
      PromptTask(name: "t\(task)", classNames: (0..<100).map { "\(words[$0 % words.count]) \(task) \($0)" })
    }
    let (method, batches, parameters) = try tree(over: tasks, bench)
    let begin = Date()
    let outcome = try method.step(parameters, batches)
    print("parity: a step of 64 tasks × 100 classes of their own: \(Date().timeIntervalSince(begin)) s")
    print("parity: peak memory \(Stopwatch.peakMemory / 1_000_000) MB")
    #expect(outcome.objectives.allSatisfy { $0.isFinite })
    #expect(Stopwatch.peakMemory < 4_000_000_000)
  }
}

enum Parity {
  static let folder = ProcessInfo.processInfo.environment["BANYAN_PARITY"].map { URL(filePath: $0) }
}
