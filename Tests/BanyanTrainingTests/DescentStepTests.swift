import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// One step's direction against the same made by hand from the tasks' own gradients.
@Suite struct DescentStepTests {
  private struct Case {
    let method: any PromptMethod
    let parameters: ParameterTree
    let constants: ParameterTree
    let batches: [TaskBatch]

    init(_ name: String, _ options: String) throws {
      let laws = try MethodLaws(
        name, options: JSONDocument.decode(JSONValue.self, from: Data(options.utf8), subject: "test"), dtype: .float64)
      method = try laws.method()
      let all = try laws.leaves(method, nudge: 0.02)
      (parameters, constants) = try method.selection.split(all)
      batches = try laws.clip.batches(MethodLaws.tasks)
    }

    func outcome(number: Int = 0, _ change: (inout TrainingSettings) -> Void) throws -> StepOutcome {
      var settings = TrainingSettings()
      change(&settings)
      return try DescentStep(method: method, settings: settings, constants: constants, seed: 3)
        .outcome(parameters, batches, number: number)
    }

    func gradient(_ task: Int, at parameters: ParameterTree) throws -> ParameterTree {
      try method.step(parameters.merging(constants), [batches[task]]).gradients
    }
  }

  private static let methods = [
    ("coop-mt", "{}"), ("hipro", "{}"), ("mmap", #"{"length": 2}"#), ("clip-adapter", "{}"), ("tip-adapter-f", "{}"),
    ("bitfit", "{}"),
  ]

  @Test(arguments: methods)
  func `the plain step is the method's own`(_ name: String, _ options: String) throws {
    let test = try Case(name, options)
    let (found, own) = try (
      test.outcome { _ in }, test.method.step(test.parameters.merging(test.constants), test.batches)
    )
    #expect(found.objectives == own.objectives)
    #expect(try found.gradients.differingPaths(from: own.gradients).isEmpty)
  }

  @Test(arguments: methods)
  func `sharpness moves every task uphill on its own`(_ name: String, _ options: String) throws {
    let test = try Case(name, options)
    let found = try test.outcome { $0.sharpness = 0.3 }
    var sum: ParameterTree?
    for task in 0..<3 {
      let gradient = try test.gradient(task, at: test.parameters)
      let squares = try gradient.tensors.flatMap { try $0.doubles() }.reduce(0) { $0 + $1 * $1 }
      let moved = try test.parameters.mapTensors { path, tensor in
        let values = try zip(tensor.doubles(), gradient.require(path).doubles()).map {
          $0 + 0.3 * $1 / squares.squareRoot()
        }
        return try Tensor(values, shape: tensor.shape).asParameter()
      }
      let sharp = try test.gradient(task, at: moved)
      sum = try sum.map { sum in try sum.mapTensors { try $1 + sharp.require($0) } } ?? sharp
    }
    let plain = try test.outcome { _ in }
    #expect(found.objectives.count == 3)
    try agree(found.objectives, plain.objectives, "objectives are those of the place itself", within: .shortcut)
    for path in found.gradients.paths {
      try agree(found.gradients.require(path), #require(sum).require(path), path, within: .at(.training), floor: 1e-4)
    }
    #expect(try !found.gradients.differingPaths(from: plain.gradients).isEmpty)
    // Nearer and nearer, it is the plain step.
    let near = try test.outcome { $0.sharpness = 1e-9 }
    for path in near.gradients.paths {
      try agree(near.gradients.require(path), plain.gradients.require(path), path, within: .at(.training), floor: 1e-4)
    }
  }

  @Test(arguments: methods, GradientAggregation.allCases.filter { $0 != .sum })
  func `what tasks share is aggregated set by set, and what they own is not`(
    _ method: (String, String), _ rule: GradientAggregation
  ) throws {
    let test = try Case(method.0, method.1)
    let found = try test.outcome { $0.aggregate = rule }
    let parts = try (0..<3).map { try test.gradient($0, at: test.parameters) }
    let sets = Dictionary(grouping: parts[0].paths) { path in
      (0..<3).filter { test.method.serves($0, path: path) }
    }
    for (tasks, paths) in sets {
      let rows = try tasks.map { task in try paths.flatMap { try parts[task].require($0).doubles() } }
      let step = try paths.flatMap { try found.gradients.require($0).doubles() }
      if tasks.count == 1 {
        try agree(step, rows[0], "the task's own", within: .shortcut, floor: 1e-6)
      } else {
        // Its parts are combinations of the tasks' gradients with the rule's weights.
        let products = rows.map { a in rows.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
        var generator = SeededGenerator(seed: 3, label: "order of tasks at step 0 \(paths[0])")
        let weights = rule.weights(products, radius: 0.5, generator: &generator)
        let expected = step.indices.map { place in zip(weights, rows).reduce(0) { $0 + $1.0 * $1.1[place] } }
        try agree(step, expected, "shared by \(tasks)", within: .at(.training), floor: 1e-4)
      }
    }
  }
}
