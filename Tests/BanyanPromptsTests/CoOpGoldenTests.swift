import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// CoOp through the method and the optimizer that the program uses, against plain PyTorch.
@Suite(.everyWay) struct CoOpGoldenTests {
  private static let names = ["cat", "red fox", "wooden chair", "grand piano", "swiss army knife"]
  private static let path = "tasks.0.context"

  private func method(_ options: String = "{}") throws -> any PromptMethod {
    let context = try TinyCLIP().context([PromptTask(name: "task", classNames: Self.names)])
    return try MethodCatalog.entry("coop").make(JSONDocument.decode(from: Data(options.utf8), subject: "test"), context)
  }

  private func batch(_ golden: Golden) throws -> TaskBatch {
    TaskBatch(task: 0, features: try golden("x"), labels: try golden("labels"))
  }

  @Test func `the tokenizer gives the goldens' tokens`() throws {
    let tokenizer = try TinyCLIP().tokenizer
    let document = try Golden.json("prompts/coop")
    for name in Self.names {
      let ids = try #require(document[path: "classTokens"]?[name]?.arrayValue).compactMap(\.intValue)
      #expect(tokenizer.tokens(of: name).map(Int.init) == ids)
    }
    #expect(tokenizer.tokens(of: ".").map(Int.init) == document["stopTokens"]?.arrayValue?.compactMap(\.intValue))
  }

  @Test(arguments: [
    ("end", "{}", "context"), ("words", "{}", "words.context"),
    ("front", #"{"context": {"position": "front"}}"#, "context"),
    ("middle", #"{"context": {"position": "middle"}}"#, "context"),
    ("class_specific", #"{"context": {"classSpecific": true}}"#, "class_contexts"),
  ])
  func `classifier, loss and gradient equal PyTorch's`(_ prefix: String, _ options: String, _ start: String) throws {
    let golden = try Golden("prompts/coop")
    let method = try method(options)
    let parameters = ParameterTree([Self.path: try golden(start).asParameter()])
    let weights = try method.classifiers(parameters)[0].weights()
    try agree(weights, golden("\(prefix).classifier"), "\(prefix).classifier", within: .at(.tower))
    let outcome = try method.step(parameters, [batch(golden)])
    let loss = try golden.number("\(prefix).loss")
    try agree(outcome.objectives, [loss], "\(prefix).loss", within: .at(.tower))
    try agree(method.objectives(parameters, [batch(golden)]), [loss], "\(prefix).loss", within: .at(.tower))
    let gradient = try outcome.gradients.require(Self.path)
    try agree(gradient, golden("\(prefix).gradient"), "\(prefix).gradient", within: .at(.gradient))
  }

  @Test(arguments: ["sgd", "adamw"], ["", "words."])
  func `ten steps equal PyTorch's`(_ rule: String, _ start: String) throws {
    let golden = try Golden("prompts/coop")
    let options = start.isEmpty ? "{}" : #"{"context": {"initialWords": "a photo of a"}}"#
    let method = try method(options)
    let first =
      start.isEmpty ? ParameterTree([Self.path: try golden("context")]) : try method.initialParameters(seed: 1)
    if !start.isEmpty {
      #expect(try first.require(Self.path).isIdentical(to: golden("words.context")))
    }
    let run = try descend(
      method, from: first, batches: [batch(golden)], rule: .golden(rule), rate: rule == "sgd" ? 0.02 : 0.01, steps: 10)
    let curve = try golden("\(start)\(rule).losses").doubles()
    try agree(run.objectives.map { $0[0] }, curve, "\(start)\(rule).losses", within: .at(.training))
    #expect(curve[9] < curve[0])
    try agree(
      run.parameters.require(Self.path), golden("\(start)\(rule).final_context"), "\(start)\(rule).final_context",
      within: .at(.training))
  }
}
