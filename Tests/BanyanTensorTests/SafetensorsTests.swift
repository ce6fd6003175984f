import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

@Suite("Safetensors round trips")
struct SafetensorsTests {
  private func tree() throws -> ParameterTree {
    var tensors: [String: Tensor] = [:]
    for dtype in DType.allCases { tensors["types.\(dtype.rawValue)"] = try Tensor([0.0, 1, 1], shape: [3]).to(dtype) }
    tensors["scalar"] = try Tensor.full([], 2.5)
    tensors["empty"] = try Tensor.zeros([2, 0, 3])
    tensors["zz.empty"] = try Tensor.zeros([0], dtype: .int64)
    tensors["special"] = try Tensor([Float.nan, -0.0, .infinity, .leastNonzeroMagnitude], shape: [2, 2])
    tensors["Wärme/\"温\"\\\u{1}"] = try Tensor([-1, .max] as [Int64], shape: [2])
    return ParameterTree(tensors)
  }

  @Test("every type, scalars, empty tensors and any name come back bit for bit")
  func roundTrip() throws {
    let tree = try tree()
    let file = try SafetensorsFile(SafetensorsFile.encode(tree), path: "memory")
    #expect(Set(file.entries.keys) == Set(tree.paths))
    #expect(try file.tree().differingPaths(from: tree) == [])
    for path in tree.paths {
      let tensor = try tree.require(path)
      #expect(file.entries[path]?.shape == tensor.shape && file.entries[path]?.dtype == tensor.dtype)
    }
    #expect(try file.tensor("special", as: .float64).dtype == .float64)
    expectError("memory: scalr", "scalar", kind: .malformed) { _ = try file.tensor("scalr") }
  }

  @Test("a file on the disk, with its metadata and its place in messages")
  func onDisk() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appendingPathComponent("deep/weights.safetensors")
    let texts = ["format": "banyan", "Straße": "\"x\"\n"]
    try SafetensorsFile.write(tree(), metadata: texts, to: url)
    let file = try SafetensorsFile(contentsOf: url)
    #expect(file.metadata == texts)
    #expect(try file.tree().differingPaths(from: tree()) == [])
    expectError("absent", kind: .missingInput) {
      _ = try SafetensorsFile(contentsOf: folder.appendingPathComponent("absent"))
    }
    expectError("deep", kind: .missingInput) {
      _ = try SafetensorsFile(contentsOf: folder.appendingPathComponent("deep"))
    }
  }

  @Test("equal trees give equal bytes, however they were filled and wherever their storage lies")
  func determinism() throws {
    let names = (0..<40).map { "node.\($0)" }
    func bytes(_ order: [String], metadata: [String: String]) throws -> Data {
      var tree = ParameterTree()
      for name in order { tree[name] = try random([3, 2], name) }
      return try SafetensorsFile.encode(tree, metadata: metadata)
    }
    let first = try bytes(names, metadata: ["a": "1", "b": "2"])
    #expect(try bytes(names.reversed(), metadata: ["b": "2", "a": "1"]) == first)
    #expect(try bytes(names, metadata: ["a": "1", "b": "3"]) != first)
    let x = try random([3, 2], "x")
    #expect(
      try SafetensorsFile.encode(ParameterTree(["x": x.transposed()]))
        == SafetensorsFile.encode(ParameterTree(["x": x.transposed().clone()])))
    #expect(first.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) } % 8 == 0)
  }

  @Test("an empty tree is a file too")
  func emptyTree() throws {
    let data = try SafetensorsFile.encode(ParameterTree())
    #expect(try SafetensorsFile(data, path: "x").entries.isEmpty)
  }

  @Test("the name that the format reserves is no parameter's")
  func reservedName() throws {
    let tree = ParameterTree(["__metadata__": try Tensor.zeros([1])])
    expectError("__metadata__") { _ = try SafetensorsFile.encode(tree, metadata: ["a": "b"]) }
  }

  @Test("a slice of a larger buffer is read from its own start")
  func slices() throws {
    let data = try SafetensorsFile.encode(tree())
    let slice = (Data([9, 9, 9]) + data + Data([9])).dropFirst(3).dropLast()
    #expect(try SafetensorsFile(slice, path: "slice").tree().differingPaths(from: tree()) == [])
  }
}
