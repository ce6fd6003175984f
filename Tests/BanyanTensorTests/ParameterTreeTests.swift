import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

@Suite("Trees of parameters and what of them is trained")
struct ParameterTreeTests {
  private func tree(_ paths: String...) throws -> ParameterTree {
    ParameterTree(
      try Dictionary(uniqueKeysWithValues: paths.enumerated().map { ($1, try Tensor([Double($0)], shape: [1])) }))
  }

  @Test("paths are sorted, tensors follow them, numbers are counted")
  func order() throws {
    var tree = try tree("nodes.10", "nodes.2", "a")
    #expect(tree.paths == ["a", "nodes.10", "nodes.2"])
    #expect(try tree.tensors.map { try $0.item() } == [2, 0, 1])
    tree["b"] = try Tensor.zeros([2, 3])
    #expect(tree.count == 4 && tree.parameterCount == 9)
    tree["a"] = nil
    #expect(tree.paths == ["b", "nodes.10", "nodes.2"])
  }

  @Test("a path that is not there is refused with the near ones")
  func require() throws {
    let tree = try tree("nodes.context", "scale")
    expectError("nodes.contxt", "nodes.context", kind: .malformed) { _ = try tree.require("nodes.contxt") }
    #expect(try tree.require("scale").item() == 1)
  }

  @Test("trees are nested, merged and mapped")
  func combinations() throws {
    let (a, b) = (try tree("x", "y"), try tree("y", "z"))
    #expect(a.nested(under: "n").paths == ["n.x", "n.y"])
    let merged = a.merging(b)
    #expect(merged.paths == ["x", "y", "z"])
    #expect(try merged.require("y").item() == 0)
    let doubled = try a.mapTensors { path, tensor in try path == "y" ? tensor * 2 : tensor }
    #expect(try doubled.require("y").item() == 2)
  }

  @Test("differing paths: another bit, another shape, only here, only there")
  func differences() throws {
    let a = try tree("bit", "here", "same", "shape")
    var b = try a.snapshot()
    #expect(try a.differingPaths(from: b) == [])
    b["bit"] = try Tensor([-0.0], shape: [1])
    b["shape"] = try a.require("shape").reshaped([1, 1])
    b["here"] = nil
    b["there"] = try Tensor.zeros([1])
    #expect(try a.differingPaths(from: b) == ["bit", "here", "shape", "there"])
    #expect(try b.differingPaths(from: a) == ["bit", "here", "shape", "there"])
  }

  @Test("a snapshot keeps its numbers when the tree is trained")
  func snapshot() throws {
    let tree = ParameterTree(["a": try Tensor([1.0], shape: [1]).asParameter()])
    let copy = try tree.snapshot()
    try tree.require("a").assign(Tensor([5.0], shape: [1]))
    #expect(try copy.require("a").item() == 1)
    #expect(try !copy.require("a").requiresGradient)
  }

  @Test(
    "patterns",
    arguments: [
      ("a.b", "a.b", true), ("a.b", "a.b.c", false), ("a.b", "a", false), ("*", "a", true), ("*", "a.b", false),
      ("a.*", "a.b", true), ("a.*", "a", false), ("a.*.c", "a.b.c", true), ("a.*.c", "a.b.b.c", false),
      ("**", "a.b.c", true), ("**", "a", true), ("a.**", "a", true), ("a.**", "a.b.c", true), ("a.**", "b.a", false),
      ("**.c", "a.b.c", true), ("**.c", "c", true), ("**.c", "c.a", false), ("a.**.c", "a.c", true),
      ("a.**.c", "a.b.b.c", true), ("**.b.**", "a.b.c", true), ("**.b.**", "a.c", false), ("a*", "ab", false),
      ("a.b", "a..b", false), ("a.*.b", "a..b", true), ("a", "a.", false), ("A", "a", false),
    ])
  func patterns(_ pattern: String, _ path: String, _ expected: Bool) {
    #expect(ParameterSelection.Rule(pattern, .trainable).matches(path) == expected)
  }

  @Test("the first rule that matches decides")
  func precedence() throws {
    let tree = try tree("prompt.context", "prompt.scale", "tower.weight")
    let selection = ParameterSelection([
      .init("prompt.scale", .frozen), .init("prompt.**", .trainable), .init("**", .frozen),
    ])
    let (trainable, frozen) = try selection.split(tree)
    #expect(trainable.paths == ["prompt.context"])
    #expect(frozen.paths == ["prompt.scale", "tower.weight"])
    let turned = ParameterSelection(selection.rules.reversed())
    #expect(try turned.split(tree).trainable.count == 0)
    #expect(try JSONDecoder().decode(ParameterSelection.self, from: JSONEncoder().encode(selection)) == selection)
  }

  @Test("paths that no rule covers are refused by name")
  func uncovered() throws {
    let tree = try tree("prompt.context", "head.weight", "head.bias")
    expectError("2 of 3", "head.bias, head.weight", "trainable or frozen") {
      _ = try ParameterSelection([.init("prompt.*", .trainable)]).split(tree)
    }
  }
}
