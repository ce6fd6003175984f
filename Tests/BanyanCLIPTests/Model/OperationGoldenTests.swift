import BanyanCLIP
import BanyanTensor
import BanyanTestSupport
import Testing

/// The lowest rungs: single ops and blocks against PyTorch, values and input gradients.
@Suite struct OperationGoldenTests {
  /// Runs `function` on the golden's input and compares output and input gradient.
  private func check(_ prefix: String, _ rung: Tolerance.Rung, _ function: (Tensor, Golden) throws -> Tensor) throws {
    let golden = try Golden("clip/clip")
    let input = try golden(prefix + ".input").asParameter()
    let output = try function(input, golden)
    try agree(output, golden(prefix + ".output"), prefix + ".output", within: .at(rung))
    let gradient = try Gradients.of([output], cotangents: [golden(prefix + ".cotangent")], with: [input])[0]
    try agree(gradient, golden(prefix + ".gradient"), prefix + ".gradient", within: .at(rung))
  }

  @Test func `layer norm equals PyTorch's, forward and backward`() throws {
    try check("op.layer_norm", .operation) { input, golden in
      try input.layerNorm(golden("op.layer_norm.weight"), golden("op.layer_norm.bias"), epsilon: 1e-5)
    }
  }

  @Test func `quick-GELU equals transformers', forward and backward`() throws {
    try check("op.quick_gelu", .operation) { input, _ in try input.quickGELU() }
  }

  @Test func `GELU equals transformers', forward and backward`() throws {
    try check("op.gelu", .operation) { input, _ in try input.gelu() }
  }

  @Test func `causal attention equals transformers', forward and backward`() throws {
    let block = try TinyCLIP().model.text.blocks[0]
    try check("attention", .tower) { input, _ in try block.attention(input, causal: true) }
  }

  @Test func `the MLP equals transformers', forward and backward`() throws {
    let block = try TinyCLIP().model.text.blocks[0]
    try check("mlp", .tower) { input, _ in try block.mlp(input) }
  }

  @Test func `a text block equals transformers', forward and backward`() throws {
    let block = try TinyCLIP().model.text.blocks[0]
    try check("text_block", .tower) { input, _ in try block(input, causal: true) }
  }

  @Test func `a vision block equals transformers', forward and backward`() throws {
    let block = try TinyCLIP().model.image.blocks[1]
    try check("vision_block", .tower) { input, _ in try block(input, causal: false) }
  }

  @Test func `a wrong element is reported with its path, index and both values`() throws {
    let golden = try Golden("clip/clip")("mlp.output")
    var elements = try golden.doubles()
    elements[2 * 0 + 1 * 7 * 32 + 3 * 32 + 5] += 0.5
    let wrong = try Tensor(elements, shape: golden.shape)
    let error = #expect(throws: Disagreement.self) { try agree(wrong, golden, "mlp.output", within: .at(.tower)) }
    #expect(error?.description.contains("mlp.output[1, 3, 5]: expected ") == true)
    let hole = try Tensor(elements.map { $0 * .nan }, shape: golden.shape)
    #expect(throws: Disagreement.self) { try agree(hole, golden, "mlp.output", within: Tolerance(1)) }
  }
}
