import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

/// Seeded double-precision tensors for tests; `Tensor.normal` would give floats.
func random(_ shape: [Int], _ label: String, scale: Double = 1, shift: Double = 0) throws -> Tensor {
  var generator = SeededGenerator(seed: 7, label: label)
  let elements = (0..<shape.reduce(1, *)).map { _ in generator.normal() * scale + shift }
  return try Tensor(elements, shape: shape)
}

/// Seeded tensors whose elements lie in 0.5 ..< 1.5, for ops with a pole or a kink at zero.
func positive(_ shape: [Int], _ label: String) throws -> Tensor {
  var generator = SeededGenerator(seed: 7, label: label)
  return try Tensor((0..<shape.reduce(1, *)).map { _ in generator.uniform() + 0.5 }, shape: shape)
}

/// Expects `body` to throw a `BanyanError` whose text holds every one of `parts`.
func expectError(
  _ parts: String..., kind: BanyanError.Kind = .failed, at location: SourceLocation = #_sourceLocation,
  body: () throws -> Void
) {
  let error = #expect(throws: BanyanError.self, sourceLocation: location) { try body() }
  guard let error else { return }
  #expect(error.kind == kind, "\(error)", sourceLocation: location)
  for part in parts {
    #expect(error.description.contains(part), "\(part) is not in: \(error.description)", sourceLocation: location)
  }
}

/// Expects a tensor's shape, and its elements to within `tolerance`.
func expectValues(
  _ tensor: Tensor, _ expected: [Double], shape: [Int], tolerance: Double = 1e-12,
  at location: SourceLocation = #_sourceLocation
) throws {
  #expect(tensor.shape == shape, sourceLocation: location)
  let found = try tensor.doubles()
  try #require(found.count == expected.count, sourceLocation: location)
  for (index, (a, b)) in zip(found, expected).enumerated() where !(abs(a - b) <= tolerance * max(1, abs(b))) {
    Issue.record("element \(index): expected \(b), found \(a)", sourceLocation: location)
  }
}
