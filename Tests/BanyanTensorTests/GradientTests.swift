import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

@Suite("Gradients of every op")
struct GradientTests {
  @Test("the engine's gradient agrees with central differences", arguments: GradientCase.all)
  func agrees(_ check: GradientCase) throws {
    let error = try check.error()
    #expect(error <= 1e-6, "\(check.name): relative error \(error)")
  }

  @Test("a wrong derivative is found out")
  func findsWrongDerivative() throws {
    // The detached factor hides half of the derivative of x².
    let wrong = GradientCase("wrong", operands: { try [positive([2], "wrong")] }) { try $0[0] * $0[0].detached() }
    #expect(try wrong.error() > 0.1)
  }

  @Test("the table covers every op of the engine's header")
  func tableIsComplete() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let header = try String(
      contentsOf: root.appendingPathComponent("Sources/CTorch/include/CTorch.h"), encoding: .utf8)
    let begin = try #require(header.range(of: "// --- ops"))
    let end = try #require(header.range(of: "// --- optimizers"))
    let text = header[begin.upperBound..<end.lowerBound]
    // The cases of the two enumerations, and the functions that are no switch over them.
    let cases = text.matches(of: /CT_[A-Z_]+/).map { String($0.output) }
    let functions = text.matches(of: /int (ct_\w+)\(/).map { String($0.output.1) }
    let switches: Set = ["ct_unary", "ct_binary"]
    // Gradients of blocks, for inputs and for weights, are held against their twins of single ops (FusedBlockTests, MatrixProductsTests).
    let undifferentiable: Set = ["ct_argmax", "ct_block_new", "ct_block_apply", "ct_block_apply_text"]
    let wanted = Set(cases + functions).subtracting(switches).subtracting(undifferentiable)
    let covered = Set(GradientCase.all.flatMap(\.covers))
    #expect(wanted.count >= 30)
    #expect(wanted.subtracting(covered).sorted() == [])
    #expect(covered.subtracting(wanted).sorted() == [], "names that the header does not have")
  }

  @Test("quick-GELU gives the same numbers with and without a graph")
  func quickGELUPaths() throws {
    let x = try random([257], "quick", scale: 4)
    let plain = try x.quickGELU()
    let recorded = try x.asParameter().quickGELU()
    #expect(recorded.requiresGradient)
    #expect(!plain.requiresGradient)
    #expect(try plain.isIdentical(to: recorded.detached()))
    let reference = try x.doubles().map { $0 / (1 + exp(-1.702 * $0)) }
    try expectValues(plain, reference, shape: [257])
  }
}
