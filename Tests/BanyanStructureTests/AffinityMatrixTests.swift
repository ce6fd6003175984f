import BanyanFoundation
import BanyanStructure
import Foundation
import Testing

@Suite struct AffinityMatrixTests {
  let names = ["a", "b", "c"]
  let values = [[1, 0.5, 0.25], [0.5, 1, -0.5], [0.25, -0.5, 1]]

  func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func `A matrix that is not square, finite, symmetric or well named is refused with the place`() {
    let cases: [([String], [[Double]], String)] = [
      ([], [], "at least one task"),
      (["a", "a"], [[1, 0], [0, 1]], "the name a occurs twice"),
      (["a", ""], [[1, 0], [0, 1]], "a name is empty"),
      (["a", "b"], [[1, 0]], "expected 2 rows, one per task, found 1"),
      (["a", "b"], [[1, 0], [0]], "row b: expected 2 values, found 1"),
      (["a", "b"], [[1, .nan], [.nan, 1]], "affinity of a and b: expected a finite number"),
      (["a", "b"], [[1, 0.5], [0.5 + 1e-6, 1]], "affinity of b and a: expected the same value"),
    ]
    for (names, values, expected) in cases {
      #expect(message { _ = try AffinityMatrix(names: names, values: values) }.contains(expected))
    }
  }

  @Test func `A difference of rounding between the two directions is accepted`() throws {
    _ = try AffinityMatrix(names: ["a", "b"], values: [[1, 0.5], [0.5 + 1e-12, 1]])
    _ = try AffinityMatrix(names: ["a", "b"], values: [[1, 5e6], [5e6 + 1e-4, 1]])
  }

  @Test func `JSON round trips and is checked when it is read`() throws {
    let matrix = try AffinityMatrix(names: names, values: values)
    let data = try JSONDocument.data(matrix, subject: "test")
    #expect(try JSONDocument.decode(AffinityMatrix.self, from: data, subject: "test") == matrix)
    let bad = Data(#"{"names": ["a", "b"], "values": [[1, 2], [3, 4]]}"#.utf8)
    #expect(throws: BanyanError.self) { try JSONDocument.decode(AffinityMatrix.self, from: bad, subject: "test") }
  }

  @Test func `The mean is element by element and refuses other tasks`() throws {
    let matrix = try AffinityMatrix(names: names, values: values)
    let other = try AffinityMatrix(names: names, values: values.map { $0.map { $0 + 1 } })
    let mean = try AffinityMatrix.mean(of: [matrix, other])
    #expect(abs(mean[1, 2] - 0) < 1e-15 && abs(mean[0, 1] - 1) < 1e-15 && abs(mean[2, 2] - 1.5) < 1e-15)
    let renamed = try AffinityMatrix(names: ["a", "b", "d"], values: values)
    #expect(
      message { _ = try AffinityMatrix.mean(of: [matrix, renamed]) }.contains("matrix 2: expected the tasks a, b, c"))
    #expect(throws: BanyanError.self) { try AffinityMatrix.mean(of: []) }
  }

  @Test func `A directed measure is averaged with its transpose`() throws {
    let matrix = try AffinityMatrix.symmetrised(names: ["a", "b"], values: [[1, 0.2], [0.6, 3]])
    #expect(matrix[0, 1] == 0.4 && matrix[1, 0] == 0.4 && matrix[1, 1] == 3)
  }

  @Test func `Permuting moves names and values together and refuses what is no permutation`() throws {
    let matrix = try AffinityMatrix(names: names, values: values)
    let moved = try matrix.permuted([2, 0, 1])
    #expect(moved.names == ["c", "a", "b"] && moved[0, 1] == 0.25 && moved[0, 2] == -0.5 && moved[1, 2] == 0.5)
    for order in [[0, 1], [0, 1, 1], [0, 1, 3], [-1, 0, 1]] {
      #expect(throws: BanyanError.self) { try matrix.permuted(order) }
    }
  }
}
